import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { decodePlan } from "../src/plan/plan-file.ts";
import { renderComment } from "../src/report/comment.ts";
import { renderPlan } from "../src/report/markdown.ts";
import * as golden from "../test/unit/report/golden-plans.ts";
import { findChromium, takePicture } from "./screenshots/chromium.ts";
import { type Picture, pageOf } from "./screenshots/page.ts";

/**
 * Pictures of what people read: of a real plan for the README (docs/images), and of the golden comments for whoever changes
 * them (the folder that is named, else screenshots/).
 */
const root = join(import.meta.dirname, "..");
const [folder = join(root, "screenshots")] = process.argv.slice(2);
const author = "github-actions";

const chromium = await findChromium(process.env);
if (chromium === null) {
  console.error("no Chromium: install one (apt-get install chromium), or name it in CHROMIUM");
  process.exit(1);
}
const real = decodePlan(await readFile(join(root, "test", "fixtures", "plans", "shop.json"), "utf8"));
const shop = renderComment(real, { ...golden.context, files: filesOf(real.head) });
const texts: Readonly<Record<string, Omit<Picture, "theme">>> = {
  shop: { markdown: shop, author, open: 1 },
  summary: { markdown: renderPlan(real), author: null, open: 1 },
  "one-job": { markdown: renderComment(golden.oneJob(), golden.context), author, open: 1 },
  "twenty-jobs": { markdown: renderComment(golden.twentyJobs(), golden.context), author, open: 1 },
  "five-hundred-jobs": { markdown: renderComment(golden.fiveHundredJobs(), golden.context), author, open: 1 },
  "hostile-texts": { markdown: renderComment(golden.hostileTexts(), golden.context), author, open: 3 },
  "first-deployment": { markdown: renderComment(golden.firstDeployment(), golden.context), author, open: 1 },
  "nothing-changed": { markdown: renderComment(golden.nothingChanged(), golden.context), author, open: 1 },
  "findings-only": { markdown: renderComment(golden.findingsOnly(), golden.context), author, open: 0 },
};

await mkdir(folder, { recursive: true });
for (const [name, text] of Object.entries(texts)) {
  for (const theme of ["light", "dark"] as const) await take({ ...text, theme }, join(folder, `${name}-${theme}.png`));
}
const images = join(root, "docs", "images");
await mkdir(images, { recursive: true });
await take({ markdown: shop, author, open: 1, theme: "light" }, join(images, "comment.png"));
await take({ markdown: renderPlan(real), author: null, open: 1, theme: "light" }, join(images, "summary.png"));

async function take(picture: Picture, png: string): Promise<void> {
  await takePicture(chromium ?? "", pageOf(picture), png, 932);
  console.log(`${png}: ${(await stat(png)).size} bytes`);
}

function filesOf(commit: string) {
  return { server: "https://github.com", repository: "acme/shop", commit, folder: "" };
}
