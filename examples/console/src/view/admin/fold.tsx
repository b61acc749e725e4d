// A line that opens into a form; what is inside is made when it is first opened.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

interface FoldProps {
  title: string;
  words?: string;
  isOpenFirst?: boolean;
  children: ComponentChildren;
}

export function Fold({ title, words, isOpenFirst = false, children }: FoldProps) {
  const [isMade, setMade] = useState(isOpenFirst);
  return (
    <details class="fold" open={isOpenFirst} onToggle={(event) => event.currentTarget.open && setMade(true)}>
      <summary><b dir="auto">{title}</b>{words && <span class="soft">{words}</span>}</summary>
      {isMade && <div class="fold-inside">{children}</div>}
    </details>
  );
}
