// What the journeys have in common: a real Chromium, driven by Playwright, that asks nobody but this machine.
//
// From the environment: PLAYWRIGHT is the folder of `playwright-core`, CHROMIUM the browser, SITE where the site is, SCRIPTS `off` turns
// JavaScript off, and SCREENSHOTS the folder that pictures go to.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const { PLAYWRIGHT, CHROMIUM, SCREENSHOTS } = process.env;
const { chromium } = await import(pathToFileURL(join(PLAYWRIGHT, "index.mjs")));

export const SITE = process.env.SITE;
export const hasScripts = process.env.SCRIPTS !== "off";

/** As `SAFETY_NET` of the tests: for what takes far too long. */
const SAFETY_NET = 60_000;

/** Runs a journey in a browser of its own; a journey that fails says where it was. `hosts` are other names of this machine. */
export async function travel(journey, { hosts = [], hearsComplaints = true } = {}) {
    const names = hosts.map(host => `MAP ${host} 127.0.0.1, `).join("");
    const browser = await chromium.launch({
        executablePath: CHROMIUM,
        args: [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            `--host-resolver-rules=${names}MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost`,
        ],
        // People have it, and it must not bring back what is no longer theirs.
        ignoreDefaultArgs: ["--disable-back-forward-cache"],
        timeout: SAFETY_NET,
    });
    const context = await browser.newContext({
        javaScriptEnabled: hasScripts,
        viewport: { width: 1280, height: 800 },
        colorScheme: "light",
    });
    context.setDefaultTimeout(SAFETY_NET);
    const page = await context.newPage();
    const complaints = [];
    page.on("pageerror", error => complaints.push(String(error)));
    page.on("console", message => {
        // A status that is not 2xx is one of these, and is looked at where it is expected.
        const isStatus = message.text().startsWith("Failed to load resource: the server responded with a status of");
        if (message.type() === "error" && !isStatus) complaints.push(message.text());
    });
    try {
        await journey(page, context);
        if (hearsComplaints) assert.deepEqual(complaints, [], "what the browser complains of");
        console.log("arrived");
    } catch (error) {
        const text = await page.locator("body").innerText().catch(() => "");
        console.log(`${error.stack}\nat ${page.url()}:\n${text}`);
        process.exitCode = 1;
    } finally {
        await browser.close();
    }
}

/** Opens a page; its status. */
export async function open(page, path) {
    return (await page.goto(SITE + path)).status();
}

/** Does what leads to another page, and waits for it; its status. */
export async function go(page, how) {
    const [answer] = await Promise.all([
        page.waitForResponse(answer => {
            const asked = answer.request();
            const leadsOn = answer.status() >= 300 && answer.status() < 400;
            return asked.isNavigationRequest() && asked.frame() === page.mainFrame() && !leadsOn;
        }),
        how(),
    ]);
    await page.waitForLoadState("load");
    return answer.status();
}

/** Presses the button with these words. */
export async function press(page, words) {
    return go(page, () => page.getByRole("button", { name: words, exact: true }).click());
}

/** Follows the link with these words. */
export async function follow(page, words) {
    return go(page, () => page.getByRole("link", { name: words, exact: true }).click());
}

/** The path and query of the page. */
export function where(page) {
    const { pathname, search } = new URL(page.url());
    return pathname + search;
}

/** Holds that the page says this. */
export async function says(page, ...words) {
    const text = await page.locator("body").innerText();
    for (const word of words) assert.ok(text.includes(word), `${page.url()} says ${word}, not ${text}`);
}

/** Holds that nothing of the page, read or unread, has this. */
export async function hides(page, ...words) {
    const all = await page.content();
    for (const word of words) assert.ok(!all.includes(word), `${page.url()} does not say ${word}: ${all}`);
}

const FORMATS = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

/** Takes pictures of the page: light and dark, on a desktop and on a phone. Nothing may stick out at the side. */
export async function picture(page, name) {
    for (const [format, size] of Object.entries(FORMATS)) {
        await page.setViewportSize(size);
        for (const colorScheme of ["light", "dark"]) {
            await page.emulateMedia({ colorScheme });
            if (SCREENSHOTS) {
                mkdirSync(SCREENSHOTS, { recursive: true });
                await page.screenshot({ path: join(SCREENSHOTS, `${name}-${format}-${colorScheme}.png`), fullPage: true });
            }
        }
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(width <= size.width, `${page.url()} is ${width} wide on a ${format} of ${size.width}`);
    }
    await page.setViewportSize(FORMATS.desktop);
    await page.emulateMedia({ colorScheme: "light" });
}
