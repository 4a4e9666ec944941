// Reads a plan from standard input, drives Chromium over the console, and writes what it found to standard output, both as JSON.
//   { url, key, pages: [path], pictures: { "name": { path, theme, width } }, directory }
// Found: { axe: [...], blocked: [...], failed: [...], withoutScript: [...], keyboard: {...}, widths: [...] }
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const plan = JSON.parse(readFileSync(0, "utf8"));
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const found = { axe: [], blocked: [], failed: [], withoutScript: [], keyboard: {}, widths: [] };
const browser = await chromium.launch({ executablePath: plan.chromium, args: ["--no-sandbox", "--disable-gpu", "--lang=en"] });

function watch(page) {
  page.on("console", message => {
    if (/content security policy/i.test(message.text())) found.blocked.push(message.text());
  });
  page.on("response", response => {
    if (response.status() >= 400) found.failed.push(`${response.status()} ${response.url()}`);
  });
}

async function signIn(options) {
  const context = await browser.newContext({ locale: "en", ...options });
  const page = await context.newPage();
  watch(page);
  await page.goto(plan.url + "/");
  return page;
}

try {
  // By keyboard alone: the field has the focus, Enter signs in, and the first Tab reaches the link over the navigation.
  const first = await signIn({ viewport: { width: 1440, height: 900 } });
  found.keyboard.field = await first.evaluate(() => document.activeElement?.id);
  await first.keyboard.type(plan.key);
  await first.keyboard.press("Enter");
  await first.waitForURL(plan.url + "/");
  while ((await first.textContent("main")).includes("being looked through")) await first.reload();
  await first.keyboard.press("Tab");
  found.keyboard.first = await first.evaluate(() => document.activeElement?.textContent);
  found.keyboard.visible = await first.evaluate(() => document.activeElement.getBoundingClientRect().left >= 0);
  await first.keyboard.press("Enter");
  found.keyboard.after = await first.evaluate(() => document.activeElement?.id);
  // What can be reached, in order, and whether each has a name.
  found.keyboard.reached = [];
  for (let i = 0; i < 200; i++) {
    await first.keyboard.press("Tab");
    const name = await first.evaluate(() => {
      const e = document.activeElement;
      return e === document.body || e === null ? null : (e.getAttribute("aria-label") ?? e.textContent).trim();
    });
    if (name === null) break;
    found.keyboard.reached.push(name);
  }
  const state = await first.context().storageState();
  found.cookies = (await first.context().cookies()).map(c => ({ name: c.name, httpOnly: c.httpOnly, secure: c.secure, sameSite: c.sameSite, path: c.path }));

  for (const [width, height] of [[1440, 900], [390, 844]]) {
    for (const theme of ["light", "dark"]) {
      const page = await signIn({ viewport: { width, height }, colorScheme: theme, storageState: state });
      for (const path of ["/", ...plan.pages]) {
        await page.goto(plan.url + path);
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => globalThis.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
        for (const v of violations) found.axe.push(`${path} ${theme} ${width}: ${v.id}: ${v.help}: ${v.nodes.map(n => `${n.html.slice(0, 160)} ${n.failureSummary.slice(0, 200)}`).slice(0, 3).join(" | ")}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (wide > 0) found.widths.push(`${path} at ${width}: ${wide} px too wide`);
      }
      await page.context().close();
    }
  }

  // The sign-in page itself.
  const stranger = await signIn({ viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  await stranger.evaluate(axe);
  for (const v of (await stranger.evaluate(() => globalThis.axe.run())).violations) found.axe.push(`/sign-in: ${v.id}: ${v.nodes.map(n => n.html).join(" | ")}`);
  await stranger.context().close();

  // Without any script every page is the same.
  const plain = await browser.newContext({ javaScriptEnabled: false, storageState: state });
  const page = await plain.newPage();
  watch(page);
  for (const path of ["/", ...plan.pages]) {
    await page.goto(plan.url + path);
    found.withoutScript.push(await page.locator("h1").innerText());
  }
  await plain.close();

  for (const [name, { path, theme, width, height, whole }] of Object.entries(plan.pictures ?? {})) {
    const page = await signIn({ viewport: { width, height: height ?? 900 }, colorScheme: theme, storageState: state });
    await page.goto(plan.url + path);
    await page.screenshot({ path: join(plan.directory, `${name}.png`), fullPage: whole ?? true });
    await page.context().close();
  }
} finally {
  await browser.close();
}
console.log(JSON.stringify(found));
