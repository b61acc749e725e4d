// The operator's colour, with a text colour that can be read on it.

/** Black or white, whichever stands out more: one of them always has a contrast above 4.5. */
export function readableOn([red, green, blue]: readonly [number, number, number]): string {
  const linear = [red, green, blue].map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  const luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  return luminance > 0.179 ? '#000' : '#fff';
}

/** Rules for the shadow root. What the page set as --holdline-accent wins over what came from the gateway. */
export function accentCss(accent: string | null, host: HTMLElement): string {
  const style = getComputedStyle(host);
  const own = style.getPropertyValue('--holdline-accent').trim();
  const color = own || (accent && CSS.supports('color', accent) && !/[;{}]/.test(accent) ? accent : '');
  if (!color) return '';
  const context = document.createElement('canvas').getContext('2d');
  if (!context) return '';
  context.fillStyle = color;
  context.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0] = context.getImageData(0, 0, 1, 1).data;
  const text = style.getPropertyValue('--holdline-accent-text').trim() || readableOn([red, green, blue]);
  return `:host{--_accent:${color};--_on-accent:${text}}`;
}
