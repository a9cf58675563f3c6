// Measures pages with Lighthouse: every run in a browser of its own, with an empty cache. The last line is JSON: for each page and form factor,
// the scores of each category in the order of the runs, from 0 to 100, and the audits that were not passed.
//
// From the environment: LIGHTHOUSE is the folder of `lighthouse`, CHROMIUM the browser, RUNS how many, FORMS which form factors: `mobile` (with
// Lighthouse's own slowed network and processor), `desktop` (as its desktop preset has it). The arguments are URLs.

import { join } from "node:path";
import { pathToFileURL } from "node:url";

const { LIGHTHOUSE, CHROMIUM, RUNS, FORMS } = process.env;
const { default: lighthouse, desktopConfig } = await import(pathToFileURL(join(LIGHTHOUSE, "core/index.js")));
const { launch } = await import(pathToFileURL(join(LIGHTHOUSE, "../chrome-launcher/dist/index.js")));

const FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];

/** How often a page may be measured anew where Lighthouse could not record what the browser did, and asks for another run. */
const AGAIN = 2;

const all = [];
for (const form of FORMS.split(" ")) {
    for (const url of process.argv.slice(2)) {
        const measured = { url, form, scores: {}, missed: {} };
        let again = 0;
        for (let run = 0; run < Number(RUNS); run += 1) {
            const browser = await launch({ chromePath: CHROMIUM, chromeFlags: FLAGS, logLevel: "silent" });
            try {
                const config = form === "desktop" ? desktopConfig : undefined;
                const { lhr } = await lighthouse(url, { port: browser.port, output: "json", logLevel: "silent" }, config);
                if (lhr.runtimeError) {
                    again += 1;
                    if (again > AGAIN) throw new Error(`${url}: ${lhr.runtimeError.message}`);
                    console.log(`measured again: ${lhr.runtimeError.message}`);
                    run -= 1;
                    continue;
                }
                for (const { id, score, auditRefs } of Object.values(lhr.categories)) {
                    (measured.scores[id] ??= []).push(Math.round(score * 100));
                    for (const { id: audit, weight } of auditRefs) {
                        const { score, title, displayValue } = lhr.audits[audit];
                        if (weight > 0 && score !== null && score < 0.9) measured.missed[audit] = `${title} ${displayValue ?? ""}`;
                    }
                }
            } finally {
                browser.kill();
            }
        }
        all.push(measured);
    }
}
console.log(JSON.stringify(all));
