// Random ids. crypto.randomUUID is missing on pages without TLS; getRandomValues is not.
export function randomId(): string {
  const { crypto } = globalThis;
  if (crypto && crypto.randomUUID) return crypto.randomUUID();
  const digit = (): number => (crypto ? crypto.getRandomValues(new Uint8Array(1))[0] & 15 : Math.floor(Math.random() * 16));
  return 'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replace(/x/g, () => digit().toString(16));
}
