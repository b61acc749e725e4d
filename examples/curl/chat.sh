#!/bin/bash
# A whole chat with curl: an enquiry by a form, then a conversation by long-polling, as told in
# docs/protocol.md. Needs curl and jq.
#
#   ./chat.sh http://127.0.0.1:8080
#
# Each line of stdin is a message. Messages of others are printed as they come; the end of the
# input ends the program once everything is confirmed.
set -euo pipefail
url=${1:?usage: chat.sh URL}
umask 077
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# poll WAIT_MS FRAMES: one long-poll with everything a poll carries. Tokens are secrets: the body
# goes through stdin, never through the arguments, which everybody on the machine can read.
rid=0 gen=null token=null c=null e=null o=0 seq=1
poll() {
    rid=$((rid + 1))
    jq -cn --argjson rid "$rid" --argjson gen "$gen" --argjson token "$token" --argjson c "$c" \
        --argjson e "$e" --argjson o "$o" --argjson seq "$seq" --argjson wait "$1" \
        --argjson frames "$2" '
        {rid: $rid, wait_ms: $wait, seq: $seq, frames: $frames}
        + if $gen then {gen: $gen} else {} end
        + if $token then {token: $token} else {} end
        + if $e then {pos: [{c: $c, e: $e, o: $o}]} else {} end' |
        curl -sS --retry 8 --retry-connrefused --retry-all-errors --max-time 40 \
            -H 'Content-Type: application/json' --data-binary @- -o "$folder/answer" \
            -w '%{http_code}' "$url/v1/poll" >"$folder/status"
    if [ "$(cat "$folder/status")" != 200 ]; then
        jq -r '"refused: " + .code + ": " + .detail' "$folder/answer" >&2
        exit 1
    fi
    take_answer
}

# The rules of the protocol: remember token and generation, move the position, print what is new.
take_answer() {
    [ "$(jq .superseded "$folder/answer")" != true ] || return 0
    gen=$(jq .gen "$folder/answer")
    local frame
    while read -r frame; do
        case $(jq -r .t <<<"$frame") in
        welcome)
            token=$(jq .token <<<"$frame")
            [ "$(jq -r '.conv[0].verdict' <<<"$frame")" != reset ] || o=0
            c=$(jq '.conv[0].c' <<<"$frame")
            e=$(jq '.conv[0].e' <<<"$frame")
            echo "# $(jq -r '.conv[0].verdict + " " + .conv[0].c' <<<"$frame")"
            ;;
        msg | pub_ok) take_entry "$frame" ;;
        synced | gap) o=$(jq --argjson o "$o" '[$o, (.to // .o)] | max' <<<"$frame") ;;
        pub_no)
            jq -r '"not taken: " + .problem.code' <<<"$frame" >&2
            [ "$(jq .problem.retryable <<<"$frame")" = true ] || confirmed=$(jq -r .mid <<<"$frame")
            ;;
        esac
    done < <(jq -c '.frames[]' "$folder/answer")
}

confirmed='' heard=''
take_entry() {
    local is_next
    [ "$(jq -r .t <<<"$1")" != pub_ok ] || confirmed=$(jq -r .mid <<<"$1")
    is_next=$(jq --argjson o "$o" '.o > $o and (.after // (.o - 1)) <= $o' <<<"$1")
    [ "$is_next" = true ] || return 0
    [ "$(jq -r .from.role <<<"$1")" != agent ] || heard=yes
    o=$(jq .o <<<"$1")
    jq -r --arg own "${text:-}" '"\(.o) " + if .t == "msg" then "\(.from.role): \(.body.text // .kind)"
        else "visitor: " + $own end' <<<"$1"
}

# say TEXT: sends it until it is confirmed. The id stays the same, so repeats do no harm.
say() {
    text=$1
    local frames mid
    mid=$(cat /proc/sys/kernel/random/uuid)
    frames=$(jq -cn --arg mid "$mid" --arg text "$1" --argjson seq "$seq" \
        '[{t: "pub", mid: $mid, seq: $seq, body: {text: $text}}]')
    until [ "$confirmed" = "$mid" ]; do
        poll 5000 "$frames"
    done
    seq=$((seq + 1))
    text=
}

enquiry() {
    curl -sS --fail-with-body -H "Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)" \
        --data-urlencode 'name=Ann' --data-urlencode 'email=ann@example.com' \
        --data-urlencode 'text=Please call me back.' "$url/v1/enquiries" >"$folder/enquiry"
    echo "# enquiry $(jq -r '.reference + ", answer expected by " + .expected_by' "$folder/enquiry")"
    curl -sS --fail-with-body "$url$(jq -r .status_url "$folder/enquiry")" | jq -r '"# status " + .status'
}

enquiry
poll 0 '[{"t":"hello","v":1}]'
while read -r line; do
    say "$line"
done
# Listens until somebody else has spoken, or for LISTEN_MS.
end=$((SECONDS + ${LISTEN_MS:-0} / 1000))
until [ "$heard" = yes ] || [ $SECONDS -ge $end ]; do
    poll $(((end - SECONDS) * 1000)) '[]'
done
poll 0 '[]'
