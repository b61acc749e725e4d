// The tags of a conversation: removed by their cross, added by name.
import { useId, useState } from 'preact/hooks';
import { Icon } from './icon';

interface Props {
  tags: readonly string[];
  known: readonly string[];
  onEdit: (edit: (tags: readonly string[]) => string[]) => void;
}

export function TagEditor({ tags, known, onEdit }: Props) {
  const [text, setText] = useState('');
  const id = useId();
  const add = (event: Event): void => {
    event.preventDefault();
    const tag = text.trim();
    setText('');
    if (tag && !tags.includes(tag)) onEdit((now) => [...now.filter((one) => one !== tag), tag]);
  };
  return (
    <div class="tags">
      <ul>
        {tags.map((tag) => (
          <li key={tag} class="chip tag">
            <span dir="auto">{tag}</span>
            <button type="button" aria-label={`Remove ${tag}`} onClick={() => onEdit((now) => now.filter((one) => one !== tag))}><Icon name="close" size={11} /></button>
          </li>
        ))}
      </ul>
      <form onSubmit={add}>
        <input aria-label="Add a tag" placeholder="Add a tag" dir="auto" maxLength={64} list={id} value={text} onInput={(event) => setText(event.currentTarget.value)} />
        <datalist id={id}>{known.filter((tag) => !tags.includes(tag)).map((tag) => <option key={tag} value={tag} />)}</datalist>
      </form>
    </div>
  );
}
