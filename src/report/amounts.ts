const steps = [
  { unit: "d", ms: 24 * 3_600_000 },
  { unit: "h", ms: 3_600_000 },
  { unit: "min", ms: 60_000 },
  { unit: "s", ms: 1_000 },
] as const;

/** `3 d 4 h`, `5 min`, `12 s`, `300 ms`: of minutes and less one unit is enough. */
export function duration(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  const at = steps.findIndex((step) => whole >= step.ms);
  const [first, second] = at === -1 ? [] : steps.slice(at);
  if (first === undefined) return whole === 0 ? "0 s" : `${whole} ms`;
  const main = `${Math.floor(whole / first.ms)} ${first.unit}`;
  const rest = second === undefined || second.unit === "s" ? 0 : Math.floor((whole % first.ms) / second.ms);
  return rest === 0 ? main : `${main} ${rest} ${second?.unit}`;
}

/** `1.2 GB`, by 1024 as Flink's dashboard counts. */
export function size(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB", "PB"];
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  const number = bytes / 1024 ** power;
  return `${power === 0 || number >= 100 ? Math.round(number) : number.toFixed(1)} ${units[power]}`;
}
