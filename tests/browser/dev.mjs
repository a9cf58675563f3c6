// An author at work: a layout breaks and is mended, a source fails, the panel tells how a page came about. How long an edit takes to be seen
// is measured and printed; it is held to anything only where everything is proven.
//
// From the environment, besides what `browser.mjs` reads: FOLDER is where the site's files are, ROUNDS how often an edit is measured.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SITE, open, travel } from "./browser.mjs";

const { FOLDER, SCREENSHOTS, SITESERVER_PROVE } = process.env;
const ROUNDS = Number(process.env.ROUNDS);
/** What the author waits for, in milliseconds. */
const PATIENCE = 200;

const LAYOUT = join(FOLDER, "layouts/lamp.html");
const sound = readFileSync(LAYOUT, "utf8");

/** Saves a file as editors do: beside it, then in its place; or in place, in two steps. */
function save(text, isInPlace = false, file = LAYOUT) {
    if (isInPlace) {
        writeFileSync(file, "");
        writeFileSync(file, text);
    } else {
        writeFileSync(`${file}~`, text);
        renameSync(`${file}~`, file);
    }
    return performance.now();
}

const corner = page => page.getByRole("button", { name: /how this page came about/ });
const overlay = page => page.locator("siteserver-dev dialog");
const panel = page => page.getByRole("region", { name: "How this page came about" });

/** Takes pictures of what is to be seen, light and dark. */
async function picture(page, name) {
    if (!SCREENSHOTS) return;
    mkdirSync(SCREENSHOTS, { recursive: true });
    for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        await page.screenshot({ path: join(SCREENSHOTS, `dev-${name}-${colorScheme}.png`) });
    }
    await page.emulateMedia({ colorScheme: "light" });
}

const isOver = () => document.querySelector("siteserver-dev")?.shadowRoot.querySelector("dialog").open;

/** Breaks the layout and mends it, time and again; how long each took to be seen. */
async function measure(page) {
    const [broken, mended] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
        const isInPlace = round % 2 === 1;
        let saved = save(`<p>{{ nonsense_${round} }}</p>`, isInPlace);
        await page.waitForFunction(
            round => document.querySelector("siteserver-dev")?.shadowRoot.querySelector("dialog[open] article h2")?.textContent.includes(`nonsense_${round}`),
            round,
        );
        broken.push(performance.now() - saved);
        saved = save(sound.replace("<h1>", `<h1 id="round-${round}">`), isInPlace);
        await page.locator(`#round-${round}`).waitFor();
        mended.push(performance.now() - saved);
        await corner(page).waitFor();
    }
    for (const [what, times] of Object.entries({ "a finding is on the page": broken, "the page is back": mended })) {
        times.sort((a, b) => a - b);
        const median = times[times.length >> 1];
        const most = times.at(-1);
        console.log(`${what} ${Math.round(median)} ms after saving (median of ${times.length}; at most ${Math.round(most)} ms)`);
        if (SITESERVER_PROVE) assert.ok(most <= PATIENCE, `${what} within ${PATIENCE} ms, each of ${times.length} times: ${times.map(Math.round)}`);
    }
}

/** Style sheets that are edited alone are exchanged in the page that is there; what is no link of its own comes with a new page. */
async function restyle(page) {
    // By a plain URL, and by one that names what the file holds.
    for (const [path, red] of [["/styled", 1], ["/named", 12]]) await restyleAt(page, path, red);
    for (const path of ["/styled", "/named"]) await restyleInPlace(page, path);
    await restyleElsewhere(page);
}

const STYLE = join(FOLDER, "content/assets/styled.css");
const hasRed = (page, red) => page.waitForFunction(red => getComputedStyle(document.querySelector("h1")).color === `rgb(${red}, 2, 3)`, red);
const redden = red => save(`h1 { color: rgb(${red}, 2, 3) }`, false, STYLE);

/** The element of a sheet stays; no page shows an old one. */
async function restyleInPlace(page, path) {
    redden(20);
    assert.equal(await open(page, path), 200);
    await corner(page).waitFor();
    await hasRed(page, 20);
    await page.evaluate(() => {
        window.link = document.querySelector("link[rel=stylesheet]");
        // What cannot be read is passed over.
        const unreadable = document.createElement("link");
        Object.assign(unreadable, { rel: "stylesheet", href: "http://[" });
        document.head.prepend(unreadable);
    });
    // One after another, unwaited.
    for (let red = 21; red < 30; red++) {
        redden(red);
        await page.evaluate(() => fetch("/_siteserver/findings").then(answer => answer.text()));
    }
    await hasRed(page, 29);
    assert.ok(await page.evaluate(() => link.isConnected && document.querySelectorAll("link[rel=stylesheet]").length === 2));
    // What a script has put out of use stays so.
    await page.evaluate(() => { link.sheet.disabled = true; });
    redden(30);
    await page.waitForFunction(() => link.sheet?.disabled && link.sheet.cssRules[0].cssText.includes("30"));
    await page.evaluate(() => { link.sheet.disabled = false; });
    await hasRed(page, 30);
    redden(31);
    await hasRed(page, 31);
    // Another page with that sheet, and this one again.
    assert.equal(await open(page, "/again"), 200);
    await hasRed(page, 31);
    redden(32);
    await hasRed(page, 32);
    await page.goBack();
    await hasRed(page, 32);
    await page.goForward();
    await hasRed(page, 32);
    await page.goto("about:blank");
    redden(33);
    await fetch(`${SITE}/strict`);
    await page.goBack();
    await hasRed(page, 33);
}

/** A page that has the sheet by its link and in another way, too, is loaded again. */
async function restyleElsewhere(page) {
    const ways = {
        imported: () => {
            const link = document.createElement("link");
            Object.assign(link, { rel: "stylesheet", href: "/assets/importing.css" });
            return new Promise(loaded => { link.onload = loaded; document.head.append(link); });
        },
        "in a shadow root": () => {
            const [outer, inner] = ["div", "div"].map(name => document.createElement(name));
            document.body.append(outer);
            outer.attachShadow({ mode: "open" }).append(inner);
            const link = document.createElement("link");
            Object.assign(link, { rel: "stylesheet", href: "/assets/styled.css" });
            return new Promise(loaded => { link.onload = loaded; inner.attachShadow({ mode: "open" }).append(link); });
        },
    };
    let red = 40;
    for (const [name, way] of Object.entries(ways)) {
        assert.equal(await open(page, "/styled"), 200);
        await corner(page).waitFor();
        await page.evaluate(way);
        await page.evaluate(() => { window.isTheSame = true; });
        redden(++red);
        await page.waitForFunction(() => window.isTheSame === undefined).catch(error => { throw new Error(`${name}: ${error.message}`); });
        await hasRed(page, red);
    }
}

async function restyleAt(page, path, red) {
    const IMPORTED = join(FOLDER, "content/assets/imported.css");
    assert.equal(await open(page, path), 200);
    await corner(page).waitFor();
    const color = () => page.evaluate(() => getComputedStyle(document.querySelector("h1")).color);
    const has = color => page.waitForFunction(color => getComputedStyle(document.querySelector("h1")).color === color, color);
    assert.equal(await color(), `rgb(${red}, 2, 3)`);
    await page.evaluate(() => { window.isTheSame = true; });
    for (const [round, isInPlace] of [[10, false], [11, true], [12, false]]) {
        save(`h1 { color: rgb(${round}, 2, 3) }`, isInPlace, STYLE);
        await has(`rgb(${round}, 2, 3)`);
    }
    assert.equal(await page.evaluate(() => window.isTheSame), true, "the page was not loaded again");
    await page.waitForFunction(() => document.querySelectorAll("link[rel=stylesheet]").length === 1);
    // A page that is loaded now has it, and is not loaded once more.
    await page.reload();
    await corner(page).waitFor();
    await has("rgb(12, 2, 3)");
    await page.evaluate(() => { window.isTheSame = true; });
    // Nobody knows which page this one is for: it is loaded again, with what it imports now.
    save(`h1 { background-color: rgb(${red}, 5, 6) }`, false, IMPORTED);
    await page.waitForFunction(() => window.isTheSame === undefined);
    await page.waitForFunction(() => getComputedStyle(document.querySelector("h1")).color === "rgb(12, 2, 3)");
}

await travel(async page => {
    // The page as it is, with a button.
    assert.equal(await open(page, "/lamps/a1"), 200);
    await corner(page).waitFor();
    assert.equal(await panel(page).count(), 0, "the panel is closed at first");

    // The panel by the keyboard.
    await corner(page).focus();
    await page.keyboard.press("Enter");
    await panel(page).waitFor();
    const text = await panel(page).innerText();
    for (const said of ["GET /lamps/a1", "lamp", "called", "stock", "terms", "routes/lamp.toml", "layouts/lamp.html", "verdict", "request id"]) {
        assert.ok(text.includes(said), `the panel says ${said}, not ${text}`);
    }
    await picture(page, "panel");
    await panel(page).locator("details.source", { hasText: "lamp" }).first().locator("summary").first().click();
    const detail = await panel(page).innerText();
    for (const said of ["$.price", "as int", "/lamps/a1", "200, application/json", "\"Arc\"", "authorization"]) {
        assert.ok(detail.includes(said), `the source says ${said}, not ${detail}`);
    }
    await picture(page, "source");
    await page.setViewportSize({ width: 390, height: 844 });
    await picture(page, "source-phone");
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 390, "nothing sticks out at the side");
    await page.setViewportSize({ width: 1280, height: 800 });

    // It stays open from page to page, until it is closed.
    await page.reload();
    await panel(page).waitFor();
    await panel(page).focus();
    await page.keyboard.press("Escape");
    await panel(page).waitFor({ state: "hidden" });
    assert.ok(await corner(page).evaluate(button => button.getRootNode().activeElement === button), "the button has the focus");
    await page.reload();
    await corner(page).waitFor();
    assert.equal(await panel(page).count(), 0, "it stays closed");

    // A layout breaks: the finding is over the page, and the page behind it is the last good one.
    save(sound.replace("{{ lamp.price }}", "{{ lamp.prise | moneyy }} <script>alert(1)</script>"));
    await overlay(page).waitFor();
    const told = await overlay(page).innerText();
    for (const said of ["layouts/lamp.html:2:", "prise", "<script>alert(1)</script>", "Help:"]) {
        assert.ok(told.includes(said), `the overlay says ${said}, not ${told}`);
    }
    assert.ok((await page.locator("h1").first().innerText()).includes("Arc"));
    await picture(page, "finding");
    await page.keyboard.press("Escape");
    await overlay(page).waitFor({ state: "hidden" });
    // Who comes anew sees it, too.
    await page.reload();
    await page.waitForFunction(isOver);

    // Mended: the overlay is gone, and the page is the new one.
    save(sound.replace("<h1>", "<h1 id=\"mended\">"));
    await page.locator("#mended").waitFor();
    await corner(page).waitFor();
    assert.equal(await page.evaluate(isOver), false);

    // More pages than a browser has connections to a server: each of them follows the edit.
    const others = [];
    for (let count = 0; count < 8; count++) {
        others.push(await page.context().newPage());
        assert.equal(await open(others.at(-1), "/lamps/a1"), 200);
    }
    save(sound.replace("<h1>", "<h1 id=\"everywhere\">"));
    for (const one of [page, ...others]) await one.locator("#everywhere").waitFor();
    // The page with the stream goes, and another one takes it over.
    for (const one of others.slice(0, 7)) await one.close();
    await page.goto("about:blank");
    save(sound.replace("<h1>", "<h1 id=\"handed-over\">"));
    await others[7].locator("#handed-over").waitFor();
    // Findings that were put aside stay there until they are others.
    save(sound.replace("lamp.price", "lamp.prise"));
    await overlay(others[7]).waitFor();
    await others[7].keyboard.press("Escape");
    await overlay(others[7]).waitFor({ state: "hidden" });
    await others[7].evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await others[7].evaluate(() => fetch("/_siteserver/findings").then(answer => answer.text()));
    assert.equal(await others[7].evaluate(isOver), false, "what was put aside is not shown again");
    save(sound.replace("lamp.price", "lamp.preis"));
    await overlay(others[7]).waitFor();
    save(sound);
    await overlay(others[7]).waitFor({ state: "hidden" });
    await others[7].close();

    // A page that a source has failed opens the panel by itself.
    assert.equal(await open(page, "/lamps/broken"), 502);
    await panel(page).waitFor();
    const failed = await panel(page).innerText();
    for (const said of ["required-missing", "on-error = \"fail\"", "$.name", "finds nothing", "required", "\"forty\", which is no int", "{\"title\""]) {
        assert.ok(failed.includes(said), `the panel says ${said}, not ${failed}`);
    }
    await picture(page, "failed");
    assert.equal(await open(page, "/lamps/none"), 404);
    await panel(page).waitFor();
    assert.ok((await panel(page).innerText()).includes("on-not-found = \"not-found\""));

    // A page under the strictest policy has all of it.
    assert.equal(await open(page, "/strict"), 200);
    await corner(page).waitFor();
    // In a sandbox it needs an origin to ask from; without one the page is as it is served.
    assert.equal(await open(page, "/sandbox"), 200);
    await corner(page).waitFor();

    // Numbers that JavaScript rounds are shown as they came.
    assert.equal(await open(page, "/lamps/large"), 200);
    await corner(page).click();
    await panel(page).locator("details.source", { hasText: "lamp" }).first().locator("summary").first().click();
    assert.ok((await panel(page).innerText()).includes("= 9007199254740993"), await panel(page).innerText());
    assert.ok((await panel(page).locator(".tree").first().innerText()).includes("9007199254740993"));
    await panel(page).focus();
    await page.keyboard.press("Escape");

    // What became of a request is forgotten after so many others.
    const own = "**/_siteserver/dev.js";
    await page.route(own, async route => {
        for (let count = 0; count < 40; count++) await fetch(`${SITE}/strict`);
        await route.continue();
    });
    await open(page, "/lamps/a1");
    await page.unroute(own);
    await corner(page).click();
    assert.ok((await panel(page).innerText()).includes("none of them any more"), await panel(page).innerText());
    await panel(page).focus();
    await page.keyboard.press("Escape");

    // Settings that need a restart are told, and what is in backticks is code.
    const SETTINGS = join(FOLDER, "site.toml");
    const settings = readFileSync(SETTINGS, "utf8");
    save(`${settings}[server]\nworkers = 3\n`, false, SETTINGS);
    await page.locator("siteserver-dev .corner.doubtful").waitFor();
    await corner(page).click();
    assert.ok((await panel(page).innerText()).includes("server.workers"), await panel(page).innerText());
    await panel(page).focus();
    await page.keyboard.press("Escape");
    save(settings, false, SETTINGS);
    await page.locator("siteserver-dev .corner.good").waitFor();
    save(sound.replace("lamp.price", "lamp.prise"));
    await overlay(page).locator("code", { hasText: "prise" }).first().waitFor();
    assert.ok(!(await overlay(page).innerText()).includes("`"));
    save(sound);
    await overlay(page).waitFor({ state: "hidden" });

    await restyle(page);

    await open(page, "/lamps/a1");
    await measure(page);
});
