// What other sites can make a browser send: forms of every kind, fetches, frames and links, from other origins. None of it is taken.
//
// SESSION is the session of somebody who is signed in. Other origins are at the same host and at another port, which sends the cookies along;
// at another host; and at a host below that of the site where nothing is encrypted: there browsers say `Origin` and nothing else.

import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { createServer, request as ask } from "node:http";
import { SITE, press, travel } from "./browser.mjs";

/** Stands before the site, and tells what the browser asks and gets: the browser itself hides some of that from its pages. */
const observer = new EventEmitter();
const door = createServer((asked, response) => {
    const { method, url: path, headers } = asked;
    const { hostname: host, port } = new URL(SITE);
    const passed = ask({ host, port, method, path, headers }, answer => {
        response.writeHead(answer.statusCode, answer.rawHeaders);
        answer.pipe(response);
        observer.emit("answer", { method, path, headers, status: answer.statusCode, cookies: answer.headers["set-cookie"] });
    });
    asked.pipe(passed);
});
await once(door.listen(0, "127.0.0.1"), "listening");
const PORT = door.address().port;

/** Does something, and waits for the first answer of this kind. */
async function observed(isIt, act) {
    const found = new Promise(resolve => {
        const hear = answer => {
            if (isIt(answer)) {
                observer.off("answer", hear);
                resolve(answer);
            }
        };
        observer.on("answer", hear);
    });
    return (await Promise.all([found, act()]))[0];
}

/** What is served at the other origins, by path. */
const pages = new Map();
const server = createServer((request, response) => {
    response.setHeader("content-type", "text/html");
    response.end(`<!doctype html><title>Foreign</title>${pages.get(request.url) ?? ""}`);
});
await once(server.listen(0, "127.0.0.1"), "listening");

const ORDER = { sku: "FO-107", count: "2" };
/** Where something can be sent, and what fits there. A `guard` asks first who it is. */
const TARGETS = [
    { path: "/login", fields: { name: "alice", password: "alice-secret" } },
    { path: "/logout", fields: {} },
    { path: "/theme", fields: { theme: "dark" } },
    { path: "/account/new", fields: ORDER, guard: true },
    { path: "/account/name", fields: { full_name: "Mallory" }, guard: true },
    { path: "/account/orders/1002", fields: {}, guard: true },
    { path: "/api/orders", fields: ORDER, guard: true },
];
const TYPES = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];

const inputs = fields =>
    Object.entries(fields).map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`).join("");
const form = (url, fields, type) =>
    `<form id="f" method="post" action="${url}" enctype="${type}">${inputs(fields)}</form><script>document.getElementById("f").submit()</script>`;
const quoted = html => html.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
const fetching = (url, options) =>
    `<script>fetch("${url}", ${options}).then(answer => { document.title = "sent " + answer.type; }, () => { document.title = "blocked"; })</script>`;

/** Every way to send this there; a fetch that asks beforehand may not get so far. */
function ways(url, fields) {
    const object = JSON.stringify(fields);
    return [
        ...TYPES.map(type => ({ how: `a form of ${type}`, html: form(url, fields, type) })),
        // A body of text that is JSON, were it read as such.
        { how: "a form that writes JSON", html: form(url, { [`${object.slice(0, -1)}${object === "{}" ? "" : ","}"x":"`]: '"}' }, "text/plain") },
        {
            how: "a form in a frame without an origin",
            html: `<iframe sandbox="allow-scripts allow-forms" srcdoc="${quoted(form(url, fields, TYPES[0]))}"></iframe>`,
        },
        ...["cors", "no-cors"].flatMap(mode =>
            [TYPES[0], "text/plain"].map(type => ({
                how: `a fetch with ${mode} of ${type}`,
                html: fetching(url, `{ method: "POST", mode: "${mode}", credentials: "include", headers: { "content-type": "${type}" }, body: ${type === TYPES[0] ? `"${new URLSearchParams(fields)}"` : `'${object}'`} }`),
            })),
        ),
        {
            how: "a fetch that hides where it comes from",
            html: fetching(url, `{ method: "POST", mode: "no-cors", credentials: "include", referrerPolicy: "no-referrer", body: new URLSearchParams(${object}) }`),
        },
        { how: "a beacon", html: `<script>navigator.sendBeacon("${url}", new URLSearchParams(${object}))</script>` },
        {
            how: "a fetch of JSON",
            asksBeforehand: true,
            html: fetching(url, `{ method: "POST", credentials: "include", headers: { "content-type": "application/json" }, body: '${object}' }`),
        },
        { how: "a fetch with DELETE", asksBeforehand: true, html: fetching(url, `{ method: "DELETE", credentials: "include" }`) },
    ];
}

let sent = 0;
/** In an ordinary run, one of so many; in a whole proof, all. Those of the four origins are different ones. */
const STEP = process.env.SITESERVER_PROVE === undefined ? 4 : 1;
let turn = 0;

/** From this origin everything is sent to the site at that one. */
async function attack(page, from, to, carriesSession) {
    turn += 1;
    for (const [row, { path, fields, guard }] of TARGETS.entries()) {
        for (const [column, { how, html, asksBeforehand }] of ways(to + path, fields).entries()) {
            if ((turn + row + column) % STEP !== 0) continue;
            const what = `${how} from ${from} to ${to}${path}`;
            const own = `/${(sent += 1)}`;
            pages.set(own, html);
            if (asksBeforehand) {
                const through = [];
                // What was sent before may still be led to the login.
                const hear = answer => answer.method !== "GET" && through.push(answer.method);
                observer.on("answer", hear);
                await page.goto(from + own);
                await page.waitForFunction(() => document.title !== "Foreign");
                observer.off("answer", hear);
                assert.equal(await page.title(), "blocked", what);
                assert.deepEqual(through, ["OPTIONS"], what);
                continue;
            }
            const answer = await observed(
                answer => answer.method === "POST" && answer.path === path,
                // A form that is sent at once is in the way of its own page.
                () => page.goto(from + own, { waitUntil: "commit" }).catch(() => {}),
            );
            const { cookie = "" } = answer.headers;
            assert.equal(cookie.includes("session="), carriesSession(how), `${what}: ${cookie}`);
            // Where the guard knows nobody, it says so before anything is read.
            const isNobody = guard && !carriesSession(how);
            const expected = isNobody ? (path.startsWith("/api/") ? 401 : 303) : 403;
            assert.equal(answer.status, expected, `${what}: ${JSON.stringify(answer)}`);
            assert.equal(answer.cookies, undefined, what);
            await page.waitForLoadState();
        }
    }
    // A link that looks as if it ordered something is looked at.
    for (const path of ["/account/new?sku=FO-107&count=2", "/logout", "/theme?theme=dark", "/account/orders/1002"]) {
        const own = `/${(sent += 1)}`;
        pages.set(own, `<a href="${quoted(to + path)}">Look</a>`);
        await page.goto(from + own);
        const answer = await observed(answer => answer.path === path, () => page.click("a"));
        assert.ok(answer.method === "GET" && [200, 302].includes(answer.status), `${path}: ${answer.status}`);
        assert.equal(answer.cookies, undefined, path);
        await page.waitForLoadState();
    }
}

/** The form of the site itself is taken. */
async function order(page, site) {
    await page.goto(`${site}/account/new`);
    assert.equal(await press(page, "Order"), 200);
    assert.match(new URL(page.url()).pathname, /^\/account\/orders\/\d+$/);
}

await travel(
    async (page, context) => {
        const session = { name: "session", value: process.env.SESSION, path: "/", httpOnly: true, sameSite: "Lax" };
        await context.addCookies([
            { ...session, domain: "127.0.0.1", secure: true },
            { ...session, domain: "site.test" },
        ]);
        const { port } = server.address();
        const open = `http://site.test:${PORT}`;
        // Browsers send these cookies with what comes from the same site, whatever its port; not from frames without an origin.
        const isOwn = how => !how.includes("without an origin");
        const local = `http://127.0.0.1:${PORT}`;
        await attack(page, `http://127.0.0.1:${port}`, local, isOwn);
        await attack(page, `http://localhost:${port}`, local, () => false);
        await attack(page, `http://other.site.test:${port}`, open, isOwn);
        await attack(page, `http://other.test:${port}`, open, () => false);
        await order(page, local);
        await order(page, open);
        console.log(`${sent} were tried`);
    },
    { hosts: ["site.test", "other.site.test", "other.test"], hearsComplaints: false },
);
server.close();
door.close();
