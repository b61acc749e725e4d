#!/bin/sh
# A good history passes; then one bug of each class is planted with sed, and the checker must
# name exactly that class.
# usage: planted_bugs.sh HOLDLINE-CHECK-HISTORY
set -eu
checker=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0

# Visitor v and agent g; v reconnects after 3; offset 4 is a note; v's m5 is repeated.
cat >"$folder/history" <<'END'
{"ts":1,"client":"v","op":"verdict","c":"C","verdict":"resumed","pos":0,"e":"7","head":0}
{"ts":2,"client":"v","op":"send","c":"C","mid":"m1","body":"one"}
{"ts":3,"client":"v","op":"acked","c":"C","mid":"m1","e":"7","o":1}
{"ts":4,"client":"g","op":"start","c":"C","o":0,"role":"agent"}
{"ts":5,"client":"g","op":"deliver","c":"C","e":"7","o":1,"mid":"m1","author":"V","body":"one"}
{"ts":6,"client":"g","op":"synced","c":"C","o":1}
{"ts":7,"client":"g","op":"send","c":"C","mid":"m2","body":"two"}
{"ts":8,"client":"v","op":"send","c":"C","mid":"m3","body":"three"}
{"ts":9,"client":"g","op":"acked","c":"C","mid":"m2","e":"7","o":2}
{"ts":10,"client":"v","op":"acked","c":"C","mid":"m3","e":"7","o":3}
{"ts":11,"client":"v","op":"deliver","c":"C","e":"7","o":2,"mid":"m2","author":"G","body":"two"}
{"ts":12,"client":"v","op":"deliver","c":"C","e":"7","o":3,"mid":"m3","author":"V","body":"three"}
{"ts":13,"client":"g","op":"deliver","c":"C","e":"7","o":3,"mid":"m3","author":"V","body":"three"}
{"ts":14,"client":"g","op":"send","c":"C","mid":"m4","body":"four"}
{"ts":15,"client":"g","op":"acked","c":"C","mid":"m4","e":"7","o":4}
{"ts":16,"client":"v","op":"verdict","c":"C","verdict":"resumed","pos":3,"pe":"7","e":"7","head":4}
{"ts":17,"client":"v","op":"synced","c":"C","o":4}
{"ts":18,"client":"v","op":"send","c":"C","mid":"m5","body":"five"}
{"ts":19,"client":"v","op":"refused","c":"C","mid":"m5","code":"unavailable"}
{"ts":20,"client":"v","op":"acked","c":"C","mid":"m5","e":"7","o":5}
{"ts":21,"client":"v","op":"acked","c":"C","mid":"m5","e":"7","o":5}
{"ts":22,"client":"v","op":"send","c":"C","mid":"m6","body":"six"}
{"ts":23,"client":"v","op":"failed","c":"C","mid":"m6"}
{"ts":24,"client":"v","op":"final","c":"C","o":5}
{"ts":25,"client":"g","op":"deliver","c":"C","e":"7","o":5,"mid":"m5","author":"V","body":"five"}
{"ts":26,"client":"g","op":"final","c":"C","o":5}
END
cat >"$folder/transcript" <<'END'
{"c":"C","e":"7","o":1,"mid":"m1","author":"V","body":"one","kind":"message"}
{"c":"C","e":"7","o":2,"mid":"m2","author":"G","body":"two","kind":"message"}
{"c":"C","e":"7","o":3,"mid":"m3","author":"V","body":"three","kind":"message"}
{"c":"C","e":"7","o":4,"mid":"m4","author":"G","body":"four","kind":"note"}
{"c":"C","e":"7","o":5,"mid":"m5","author":"V","body":"five","kind":"message"}
END

# plant NAME "CLASS..." HISTORY-EDIT TRANSCRIPT-EDIT: CLASS - means that nothing may be found.
plant() {
    sed -E "$3" "$folder/history" >"$folder/h"
    sed -E "$4" "$folder/transcript" >"$folder/t"
    code=0
    "$checker" "$folder/h" --transcript "$folder/t" >"$folder/out" || code=$?
    found=$(sed -nE 's/^([a-z]+) +[1-9][0-9]*$/\1/p' "$folder/out" | tr '\n' ' ')
    expected=$([ "$2" = - ] || printf '%s ' $2)
    if [ "$found" = "$expected" ] && [ "$code" = "$([ "$2" = - ] && echo 0 || echo 1)" ]; then
        echo "ok - $1: $2"
    else
        echo "not ok - $1: expected '$2', found '$found', exit $code"
        cat "$folder/out"
        failed=1
    fi
}

plant "good history" - '' ''
plant "acknowledged entry gone from the end" "lost resumed" '/"mid":"m5".*deliver|"op":"deliver".*"m5"/d; s/"op":"final","c":"C","o":5/"op":"final","c":"C","o":4/; s/"pos":3/"pos":5/; s/"head":4/"head":5/' '5d'
plant "acknowledged entry gone, nobody saw it" "lost" '/"op":"deliver".*"m5"/d; /"op":"final"/d' '5d'
plant "entry gone that a client was given" "lost gap" '/"op":"acked".*"m3"/d' '3d'
plant "stored again under a new mid" "gap phantom" '' '5{p;s/"o":5/"o":6/;s/"mid":"m5"/"mid":"x5"/}'
plant "stored twice under one mid" "duplicate gap" '' '5{p;s/"o":5/"o":6/}'
plant "offset stored twice" "duplicate" '' '2{p;s/"m2"/"m2b"/;s/message/updated/}'
plant "callback twice" "duplicate" '13{p}' ''
plant "callback twice under another offset" "duplicate order" '25{p;s/"o":5/"o":6/}' ''
plant "callback in wrong order" "order gap" '11{h;d};12{G}' ''
plant "clients disagree with the transcript" "order gap" '11s/"o":2/"o":3/;11s/"mid":"m2"/"mid":"m3"/;11s/"two"/"three"/;12d' ''
plant "transcript reordered" "order place" '' '2s/"o":2/"o":3/;3s/"o":3/"o":2/'
plant "hole in the transcript" "gap" '/"m2"/d' '2d'
plant "callback skipped an entry" "gap" '11d' ''
plant "nothing came before synced" "gap" '5d' ''
plant "never came before the end" "gap" '25d' ''
plant "note is not missed by a visitor" - '17d' ''
plant "note is missed by an agent" "gap" '15d' ''
plant "resumed over another epoch" "resumed" '16s/"pe":"7"/"pe":"6"/' ''
plant "resumed ahead of the head" "resumed" '16s/"head":4/"head":2/' ''
plant "reset may repeat" - '16{s/resumed/reset/;p;s/.*/{"client":"v","op":"deliver","c":"C","e":"8","o":1,"mid":"m1","author":"V","body":"one"}/;p;s/"o":1,"mid":"m1","author":"V","body":"one"/"o":2,"mid":"m2","author":"G","body":"two"/;p;s/"o":2,"mid":"m2","author":"G","body":"two"/"o":3,"mid":"m3","author":"V","body":"three"/}' ''
plant "nobody sent it" "gap phantom" '/"op":"(send|acked)".*"m4"/d' ''
plant "body changed" "phantom" '' '1s/one/eno/'
plant "refused, and stored" "gap phantom" '' '5{p;s/"o":5/"o":6/;s/"m5"/"m6"/;s/five/six/}'
plant "acknowledged at another offset" "gap place" '9s/"o":2/"o":1/' ''
plant "two acks differ" "place" '21s/"o":5/"o":6/' ''

"$checker" "$folder/history" >/dev/null || { echo "not ok - without transcript"; failed=1; }
code=0
"$checker" /dev/null 2>/dev/null || code=$?
[ "$code" = 2 ] || { echo "not ok - an empty history proves nothing"; failed=1; }
exit $failed
