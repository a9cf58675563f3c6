// Looks at pages in a real Chromium as axe-core does, light and dark, on a phone and on a desktop; and as people do: what the browser complains
// of, what is fetched from elsewhere, and what sticks out at the side.
//
// From the environment: that of `browser.mjs`, and AXE, the file of axe-core. From the input: JSON, a list of pages with `url` and, where
// somebody is signed in, `cookie`; `isBroken` says what is wrong with one that is to be noticed. One that is not to be looked at `inFull`, because
// others have the same layout and style, is looked at on a phone by day only.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { travel } from "./browser.mjs";

const axe = readFileSync(process.env.AXE, "utf8");
const pages = JSON.parse(readFileSync(0, "utf8"));

const SIZES = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };

// Every rule but the experimental ones: WCAG 2.2 A and AA, and what axe-core's authors hold to be good practice. AA's size of targets is off
// unless asked for.
const OPTIONS = { resultTypes: ["violations"], rules: { "target-size": { enabled: true } } };

// Colours are all that another colour scheme changes.
const COLOURS = { resultTypes: ["violations"], runOnly: ["color-contrast", "link-in-text-block"] };

travel(async (_, context) => {
    let looks = 0;
    const found = [];
    let seen, page, isOf;
    for (const { url, cookie, inFull, isBroken } of pages) {
        seen = [];
        // One window for all that one person sees of one site: each takes the browser longer to open than most pages do.
        const visit = `${new URL(url).origin} ${cookie}`;
        if (isOf !== visit) {
            await page?.context().close();
            isOf = visit;
            const own = await context.browser().newContext({ viewport: SIZES.desktop, colorScheme: "light" });
            if (cookie) {
                const [name, value] = cookie.split("=");
                await own.addCookies([{ name, value, url }]);
            }
            page = await own.newPage();
            page.on("pageerror", error => seen.push(String(error)));
            page.on("console", message => {
                const isStatus = message.text().startsWith("Failed to load resource: the server responded with a status of");
                if (message.type() === "error" && !isStatus) seen.push(message.text());
            });
            page.on("request", request => {
                if (!/^(http:\/\/127\.0\.0\.1:|data:|blob:)/.test(request.url())) seen.push(`asks ${request.url()}`);
            });
        }
        await page.goto(url, { waitUntil: "load" });
        await page.evaluate(axe);
        for (const [format, size] of Object.entries(SIZES)) {
            if (!inFull && format !== "phone") continue;
            await page.setViewportSize(size);
            // What a script does on another size is done before the next picture.
            await page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))));
            for (const colorScheme of inFull ? ["light", "dark"] : ["light"]) {
                await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
                const options = colorScheme === "light" ? OPTIONS : COLOURS;
                const { violations } = await page.evaluate(options => globalThis.axe.run(document, options), options);
                looks += 1;
                for (const { id, help, nodes } of violations) {
                    for (const { target, html, failureSummary } of nodes) {
                        const why = failureSummary.split("\n").slice(1).map(line => line.trim()).join(" ");
                        seen.push(`${format} ${colorScheme}: ${id}: ${help}: ${target} ${html.slice(0, 200)} ${why}`);
                    }
                }
            }
            const width = await page.evaluate(() => document.documentElement.scrollWidth);
            if (width > size.width) seen.push(`${format}: it is ${width} wide on ${size.width}`);
        }
        if (isBroken) assert.match(seen.join("\n"), new RegExp(isBroken), `what is wrong with ${url} is found`);
        else found.push(...seen.map(line => `${url}: ${line}`));
    }
    console.log(`axe-core looked ${looks} times at ${pages.length} pages`);
    assert.equal(found.length, 0, found.join("\n"));
});
