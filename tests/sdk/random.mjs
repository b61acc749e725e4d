// Random numbers that come again with the same seed.
export function seeded(seed) {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

export const newSeed = () => (process.env.HOLDLINE_SDK_SEED ? Number(process.env.HOLDLINE_SDK_SEED) : Date.now() >>> 0);
