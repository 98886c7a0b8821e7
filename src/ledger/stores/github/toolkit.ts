/**
 * GitHub's own clients. They are large, and needed only to write, so they are a bundle of their own, `dist/toolkit.js`
 * (scripts/build.ts), which is loaded with the first write.
 */
export { DefaultArtifactClient } from "@actions/artifact";
export { saveCache } from "@actions/cache";
