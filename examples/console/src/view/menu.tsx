// A button that opens a list of deeds. Arrow keys move, Escape closes and gives the focus back.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Icon, type IconName } from './icon';

export interface MenuItem {
  label: string;
  icon?: IconName;
  detail?: string;
  act?: () => void;
  href?: string;
  isDangerous?: boolean;
}

interface MenuProps {
  label: string;
  face: ComponentChildren;
  items: readonly MenuItem[];
  class?: string;
  side?: 'top' | 'bottom';
  emptyWords?: string;
  isNamedByFace?: boolean; // its own text says what it is
}

export function Menu({ label, face, items, class: style = '', side = 'bottom', emptyWords = 'Nothing to choose', isNamedByFace = false }: MenuProps) {
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  const close = (): void => {
    setOpen(false);
    button.current?.focus();
  };
  useEffect(() => {
    if (!isOpen) return undefined;
    itemsIn(root.current)[0]?.focus();
    const outside = (event: Event): void => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [isOpen]);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!isOpen) return;
    if (event.key === 'Escape') {
      event.stopPropagation();
      close();
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      step(root.current, event.key === 'ArrowDown' ? 1 : -1);
    } else if (event.key === 'Tab') setOpen(false);
  };
  return (
    <div class={`menu ${style}`} ref={root} onKeyDown={onKeyDown}>
      <button ref={button} type="button" class="menu-face" aria-haspopup="menu" aria-expanded={isOpen} aria-controls={isOpen ? id : undefined}
        aria-label={isNamedByFace ? undefined : label} title={label} onClick={() => setOpen(!isOpen)}>{face}</button>
      {isOpen && (
        <div class={`menu-list ${side}`} role="menu" id={id} aria-label={label}>
          {items.length === 0 && <p class="soft menu-empty">{emptyWords}</p>}
          {items.map((item) => <Item key={item.label} item={item} onDone={close} />)}
        </div>
      )}
    </div>
  );
}

function Item({ item: { label, icon, detail, act, href, isDangerous }, onDone }: { item: MenuItem; onDone: () => void }) {
  const face = (
    <>
      {icon && <Icon name={icon} size={16} />}
      <span class="menu-label" dir="auto">{label}{detail && <small>{detail}</small>}</span>
    </>
  );
  const style = `menu-item ${isDangerous ? 'danger' : ''}`;
  const run = (): void => {
    onDone();
    act?.();
  };
  return href
    ? <a class={style} role="menuitem" tabIndex={-1} href={href} onClick={onDone}>{face}</a>
    : <button type="button" class={style} role="menuitem" tabIndex={-1} onClick={run}>{face}</button>;
}

function itemsIn(root: HTMLElement | null): HTMLElement[] {
  return [...(root?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];
}

function step(root: HTMLElement | null, by: number): void {
  const items = itemsIn(root);
  const at = items.indexOf(document.activeElement as HTMLElement);
  items[(at + by + items.length) % items.length]?.focus();
}
