/** `64 MB`, for messages about limits. */
export function megabytes(bytes: number): string {
  const mega = bytes / (1024 * 1024);
  return mega >= 1 ? `${Math.round(mega)} MB` : `${Math.round(bytes / 1024)} KB`;
}
