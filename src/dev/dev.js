// What `siteserver dev` puts into pages: it shows each edit at once, what is wrong with the last one, and how this page came about.
//
// Everything stands in a shadow root, so that neither the page nor this disturbs the other. Texts are set as text: nothing that comes from
// the site, its data or its upstreams is ever read as markup.
(() => {
    "use strict";

    const PREFIX = "/_siteserver/";
    const script = document.currentScript;
    const { request, version, sent } = script.dataset;
    const loadedStyles = Number(script.dataset.styles ?? 0);
    // A page within a page leaves it to the outer one.
    if (window.top !== window || customElements.get("siteserver-dev")) return;

    /** What is there of these, and of lists among them. */
    const present = list => list.flat(Infinity).filter(child => child !== undefined && child !== null && child !== false);

    /** An element with these properties and children; a child that is a string is text, and one that is nothing is left out. */
    function element(name, properties = {}, ...children) {
        const made = document.createElement(name);
        for (const [key, value] of Object.entries(properties)) {
            if (value === undefined || value === null || value === false) continue;
            if (typeof value === "function") made.addEventListener(key, value);
            else made.setAttribute(key, value === true ? "" : value);
        }
        made.append(...present(children));
        return made;
    }

    /** What is remembered as long as the tab is open. A browser that is told to store nothing refuses. */
    const memory = {
        get(name) { try { return sessionStorage.getItem(`siteserver-dev-${name}`); } catch { return null; } },
        set(name, value) { try { sessionStorage.setItem(`siteserver-dev-${name}`, value); } catch { /* as said */ } },
    };

    // The host is a custom element, which no selector of a page means. Its style is an object, which no policy of a page is about.
    class Host extends HTMLElement {}
    customElements.define("siteserver-dev", Host);
    const host = new Host();
    const root = host.attachShadow({ mode: "open" });
    const styled = fetch(PREFIX + "dev.css").then(answer => answer.text()).then(text => {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(text);
        root.adoptedStyleSheets = [sheet];
    }).catch(error => console.warn("siteserver dev has no style:", error));

    /** What became of the request; `null` if that is not remembered. */
    let record;
    let state;

    // ---- The page is shown again when the site has changed.

    const restyled = styles => Math.max(0, ...Object.values(styles));

    function reload() {
        // What still is of the old site when it has come anew was kept by somebody, a service worker for instance: once is enough.
        const step = `${version}/${loadedStyles} to ${state.version}/${restyled(state.styles)}`;
        if (memory.get("reloaded") === step) return;
        memory.set("reloaded", step);
        // What was sent is not sent again.
        if (sent !== undefined) location.replace(location.pathname + location.search);
        else location.reload();
    }

    /** How often something was. */
    let heard = 0;
    function hear(told) {
        heard += 1;
        state = told;
        if (told.version !== version) return reload();
        if (restyled(told.styles) !== seenStyles && !isRestyled(told.styles)) return reload();
        showFindings();
        showButton();
        showPanel();
    }

    // ---- Where only style sheets are others, they alone are exchanged.

    let seenStyles = loadedStyles;
    /** The links whose sheets were exchanged; whether a script of the page had put the sheet out of use. */
    const exchanged = new WeakMap();

    /** As `restyle`; where that fails, for whatever the page holds, the whole page comes anew. */
    function isRestyled(styles) {
        try {
            return restyle(styles);
        } catch (error) {
            console.warn("siteserver dev cannot exchange the style sheets:", error);
            return false;
        }
    }

    /** Exchanges the style sheets that were edited since they were seen; whether the page surely has each of them by links of its own alone. */
    function restyle(styles) {
        const edited = Object.keys(styles).filter(name => styles[name] > seenStyles);
        const now = restyled(styles);
        if (now < seenStyles) return false;
        const links = linksOf(document);
        const found = edited.map(name => links.filter(link => isOf(link.href, document.baseURI, name)));
        // What is embedded, or checked by its digest, comes with the whole page, and so does what is imported or stands in a shadow root.
        if (found.some(links => links.length === 0 || links.some(link => link.integrity))) return false;
        const isEdited = (address, base) => edited.some(name => isOf(address, base, name));
        const shadows = shadowsBelow(document);
        if (shadows.some(shadow => linksOf(shadow).some(link => isEdited(link.href, document.baseURI)))) return false;
        const sheets = [document, ...shadows].flatMap(({ styleSheets }) => [...styleSheets]);
        if (sheets.some(sheet => isImporting(sheet, document.baseURI, isEdited))) return false;
        seenStyles = now;
        for (const link of new Set(found.flat())) exchange(link);
        return true;
    }

    const linksOf = tree => [...tree.querySelectorAll("link[rel~='stylesheet' i][href]")];

    /** The open shadow roots of the page, those within others too, but not this one. */
    function shadowsBelow(tree) {
        const shadows = [...tree.querySelectorAll("*")].map(element => element.shadowRoot).filter(shadow => shadow && shadow !== root);
        return shadows.flatMap(shadow => [shadow, ...shadowsBelow(shadow)]);
    }

    /** Whether a sheet, or one that it imports, imports one that was edited. */
    function isImporting(sheet, base, isEdited) {
        let rules;
        // A sheet of another origin shows nobody what it holds: it is none of the site's files.
        try { rules = [...sheet.cssRules]; } catch { return false; }
        const from = sheet.href ?? base;
        return rules.some(rule => rule instanceof CSSImportRule
            && (isEdited(rule.href, from) || (rule.styleSheet && isImporting(rule.styleSheet, from, isEdited))));
    }

    function isOf(address, base, name) {
        if (!URL.canParse(address, base)) return false;
        const { origin, pathname } = new URL(address, base);
        const last = pathname.split("/").at(-1);
        // As `asset_url` names it: whatever version that is, what is sent is the file as it is now.
        const plain = last.replace(/\.[0-9a-f]{12}(?=(\.[^.]*)?$)/, "");
        return origin === location.origin && [name, encodeURIComponent(name)].some(name => name === last || name === plain);
    }

    /** The element stays, with all that the page's scripts know of it; its old sheet stays until the new one is there. */
    function exchange(link) {
        if (!exchanged.has(link)) {
            link.addEventListener("error", reload);
            link.addEventListener("load", () => {
                if (exchanged.get(link) && link.sheet) link.sheet.disabled = true;
                exchanged.set(link, false);
            });
        }
        if (link.sheet || !exchanged.has(link)) exchanged.set(link, !link.disabled && Boolean(link.sheet?.disabled));
        const url = new URL(link.href, document.baseURI);
        url.searchParams.set("siteserver-dev", `${version}.${seenStyles}`);
        link.href = url.href;
    }

    // A browser has few connections to a server, and a stream keeps one: the page that holds the lock has the stream, and tells the others.
    const channel = new BroadcastChannel("siteserver-dev");
    channel.addEventListener("message", message => hear(message.data));
    function follow(goes) {
        const events = new EventSource(PREFIX + "events");
        events.addEventListener("message", message => {
            const told = JSON.parse(message.data);
            channel.postMessage(told);
            hear(told);
        });
        return new Promise(release => goes.addEventListener("abort", () => { events.close(); release(); }));
    }
    function listen() {
        // A page that goes into the history would keep what it holds.
        const going = new AbortController();
        window.addEventListener("pagehide", () => going.abort(), { once: true });
        navigator.locks.request("siteserver-dev", { signal: going.signal }, () => follow(going.signal)).catch(() => { /* it left before its turn */ });
        // The stream says at once how things are, but only to the page that has it.
        catchUp();
    }
    async function catchUp() {
        const before = heard;
        const answer = await fetch(PREFIX + "findings");
        const told = answer.ok ? await answer.json() : undefined;
        // What the stream has said meanwhile is newer, or what is newer is on its way there.
        if (told && heard === before) hear(told);
    }

    // ---- What is wrong with the site, over the page.

    const title = element("h1", { id: "title" });
    const explanation = element("p");
    const findings = element("div");
    const overlay = element(
        "dialog",
        { "aria-labelledby": "title" },
        element(
            "header",
            {},
            title,
            element("button", { type: "button", class: "close", "aria-label": "Look at the page", click: () => overlay.close() }, "×"),
        ),
        explanation,
        findings,
    );

    // Findings that somebody has put aside come back when they are others.
    let aside;
    const shown = () => JSON.stringify(state.findings);
    overlay.addEventListener("close", () => {
        // It is told late, and may be open again by then, for other findings.
        if (!overlay.open) aside = state.failing ? shown() : undefined;
    });

    const errors = () => state.findings.filter(finding => finding.level === "error").length;
    const counted = (count, what) => `${count} ${what}${count === 1 ? "" : "s"}`;
    const located = place => place ? `${place.file}:${place.line}:${place.column}` : "";

    function showFindings() {
        if (!state.failing) {
            overlay.close();
            return;
        }
        title.textContent = `The site has ${counted(errors(), "error")}`;
        explanation.textContent = request
            ? "The page behind this is of the last good site, which keeps serving. Mend the error: this goes away by itself."
            : "There is no good site from before. Mend the error: the page appears by itself.";
        findings.replaceChildren(...state.findings.map(shownFinding));
        if (state.omitted) findings.append(element("p", {}, `${counted(state.omitted, "more finding")} not shown: mend these first.`));
        if (!overlay.open && aside !== shown()) overlay.showModal();
        overlay.scrollTop = 0;
    }

    function shownFinding(finding) {
        if (typeof finding === "string") return element("p", {}, finding);
        return element(
            "article",
            { class: finding.level },
            element("p", { class: "code" }, element("b", {}, finding.level), ` ${finding.code}`),
            element("h2", {}, worded(finding.message)),
            finding.place && element("p", { class: "place" }, located(finding.place)),
            finding.lines && shownLines(finding.lines),
            finding.related.map(related => [
                element("p", { class: "place" }, `${located(related.place)} — `, worded(related.message)),
                shownLines(related.lines),
            ]).flat(),
            finding.help && element("p", { class: "help" }, element("b", {}, "Help: "), worded(finding.help)),
        );
    }

    /** A phrase, in which what stands in backticks is the author's. */
    function worded(text) {
        const parts = text.split("`");
        // One without its other stays as it is.
        if (parts.length % 2 === 0) {
            const last = parts.pop();
            parts.push(`${parts.pop()}\`${last}`);
        }
        return parts.map((part, at) => at % 2 === 1 ? element("code", {}, part) : part);
    }

    function shownLines(lines) {
        const shown = lines.map(([number, before, marked, after]) =>
            element(
                "span",
                { class: marked ? "line about" : "line" },
                element("span", { class: "count", "aria-hidden": "true" }, String(number)),
                before,
                marked && element("mark", {}, marked),
                after,
                "\n",
            ));
        return element("pre", { tabindex: "0" }, shown);
    }

    // ---- How the page came about: a button in the corner, and a panel.

    const button = element("button", {
        type: "button",
        class: "corner",
        "aria-expanded": "false",
        "aria-controls": "panel",
        click: () => open(panel.hidden),
    });
    const panel = element("section", { id: "panel", hidden: true, "aria-label": "How this page came about", tabindex: "-1" });
    panel.addEventListener("keydown", event => {
        if (event.key !== "Escape") return;
        open(false);
        button.focus();
        event.stopPropagation();
    });

    function open(isOpen, isRemembered = true) {
        panel.hidden = !isOpen;
        button.setAttribute("aria-expanded", String(isOpen));
        if (isRemembered) {
            memory.set("panel", isOpen ? "open" : "closed");
            if (isOpen) panel.focus();
        }
    }

    const failures = () => record.sources.filter(source => source.trouble || source.fatal);

    function showButton() {
        const verdict = record ? cacheVerdict() : undefined;
        const isBad = state?.failing || (record && (record.status >= 500 || record.sources.some(source => source.fatal)));
        const isDoubtful = (state && (state.findings.length > 0 || state.restart.length > 0)) || (record && failures().length > 0);
        button.className = `corner ${isBad ? "bad" : isDoubtful ? "doubtful" : "good"}`;
        const words = record ? `${record.status} · ${verdict.word} · ${time(record.ms)}` : "siteserver dev";
        button.replaceChildren(element("span", { class: "dot", "aria-hidden": "true" }), words);
        button.setAttribute("aria-label", `${words}: how this page came about`);
    }

    function showPanel() {
        if (record === undefined) return;
        panel.replaceChildren(...present([
            element(
                "header",
                {},
                element("h1", {}, record ? `${record.method} ${record.target}` : "How this page came about is not known"),
                element("button", { type: "button", class: "close", "aria-label": "Close", click: () => { open(false); button.focus(); } }, "×"),
            ),
            state?.restart.length > 0 && section("Restart", element(
                "p",
                { class: "restart" },
                "These settings have changed, and take effect when ",
                element("code", {}, "siteserver dev"),
                ` is started again: ${state.restart.join(", ")}.`,
            )),
            record === null && element("p", {}, "The last requests are remembered, and this is none of them any more. Load the page again."),
            record && section("Sources", waterfall()),
            record && section("Caches", caches()),
            record && section("Route", route(record.explain)),
            state && state.findings.length > 0 && !state.failing &&
                section("Warnings", element("div", { class: "warnings" }, state.findings.map(shownFinding))),
        ]));
    }

    const section = (name, ...content) => element("section", {}, element("h2", {}, name), content);

    function rows(list) {
        const shown = list.filter(([, value]) => value !== undefined && value !== null && value !== "" && value.length !== 0);
        return element("dl", {}, shown.map(([name, value]) => [
            element("dt", {}, name),
            element("dd", {}, ...(Array.isArray(value) ? value.map(line => element("div", {}, line)) : [value])),
        ]).flat());
    }

    const time = ms => ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : ms >= 10 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`;

    // ---- Sources: when each ran, what it asked and was told, what was taken from that.

    function waterfall() {
        const { sources, ms } = record;
        if (sources.length === 0) {
            const fromStore = cacheVerdict().isFromStore;
            return element("p", {}, fromStore ? "None was asked: the page was in the store." : "The page has none.");
        }
        const whole = Math.max(ms, ...sources.map(source => (source.start ?? 0) + source.ms), 0.01);
        const ordered = [...sources].sort((a, b) => (a.start ?? 0) - (b.start ?? 0));
        return ordered.map(source => {
            const bar = element("span", { class: `bar ${source.trouble ? "bad" : source.from}` });
            bar.style.marginLeft = `${Math.min(99, 100 * (source.start ?? 0) / whole)}%`;
            bar.style.width = `${Math.max(1, 100 * source.ms / whole)}%`;
            return element(
                "details",
                { class: "source", open: source.fatal },
                element(
                    "summary",
                    {},
                    element("span", { class: "name" }, source.name),
                    element("span", { class: source.trouble ? "word bad" : "word" }, source.trouble ?? source.from),
                    element("span", { class: "track", "aria-hidden": "true" }, bar),
                    element("span", { class: "time" }, time(source.ms)),
                ),
                shownSource(source),
            );
        });
    }

    function shownSource(source) {
        const declared = source.declared && `${source.declared.key} = "${source.declared.value}"`;
        const result = source.fatal ? "the page could not be made" : "the page does without it";
        return element(
            "div",
            { class: "detail" },
            source.trouble && element(
                "p",
                { class: "trouble" },
                element("b", {}, source.trouble),
                declared ? ` — declared for that: ${declared}, so ${result}` : ` — ${result}`,
            ),
            rows([
                ["declared", located(source.place)],
                ["begun", source.start !== undefined && `${time(source.start)} after the request came, settled ${time(source.ms)} later`],
                ["outcome", source.outcome],
            ]),
            (source.calls ?? []).slice(0, 20).map(call => shownCall(call, Boolean(source.trouble))),
            source.calls?.length > 20 && element("p", {}, `… ${source.calls.length - 20} more calls`),
            source.steps?.length > 0 && element("h3", {}, "Taken from the answer"),
            source.steps?.length > 0 && element("ul", { class: "steps" }, source.steps.map(shownStep)),
            source.data !== undefined && !source.fatal && [element("h3", {}, "Data"), element("div", { class: "tree" }, tree(source.data, 0))],
        );
    }

    function shownCall(call, isOpen) {
        const { reply } = call;
        const how = call.shared
            ? "made once, with another that was the same"
            : call.made ? undefined : "not made: what is kept of it was used";
        const came = reply && (reply.failure ? reply.text : `${reply.status}, ${reply.type ?? "no media type"}, ${reply.bytes} bytes, after ${time(reply.ms)}`);
        return element(
            "div",
            { class: "call" },
            element("p", { class: "url" }, element("b", {}, call.method), " ", call.url ?? `no call: ${call.refused}`),
            rows([
                ["sent", call.fields.join(", ")],
                ["call", how],
                ["answer", came],
                ["its fields", reply?.fields?.join(", ")],
            ]),
            reply?.begins && element(
                "details",
                { class: "body", open: isOpen },
                element("summary", {}, reply.whole ? "Its body" : "How its body begins"),
                element("pre", { tabindex: "0" }, reply.begins),
            ),
        );
    }

    function shownStep(step) {
        const { found, type } = step;
        const problem = found.count === null ? "looked at too much"
            : found.count === 0 ? "finds nothing"
            : found.misfit !== null && found.misfit !== undefined ? `finds ${brief(found.misfit)}, which is no ${type ?? "value"}`
            : found.lacking > 0 ? "finds null"
            : undefined;
        const instead = step.default ? "its default stands for it" : step.required ? `required${step.required === true ? "" : `: ${step.required}`}` : "it stays empty";
        return element(
            "li",
            { class: problem ? "bad" : "" },
            element("b", {}, step.field || "value"),
            " ",
            element("code", {}, step.selector),
            type && ` as ${type}`,
            problem
                ? ` ${problem}${found.count > 1 && found.lacking ? ` in ${found.lacking} of them` : ""} — ${instead}`
                : ` = ${found.count === 1 ? brief(found.first[0]) : `${found.count} values`}`,
        );
    }

    /** As `JSON.parse`, but a number that JavaScript would round stays as it was written, where the browser can do that. */
    function parsed(text) {
        const isRounded = (number, source) => Number.isInteger(number) && !Number.isSafeInteger(number) && source !== undefined;
        return JSON.parse(text, (_name, value, context) =>
            typeof value === "number" && isRounded(value, context?.source) && JSON.rawJSON ? JSON.rawJSON(context.source) : value);
    }

    const isRaw = value => JSON.isRawJSON?.(value) ?? false;

    function brief(value) {
        const text = JSON.stringify(value);
        return text.length > 80 ? `${text.slice(0, 80)}…` : text;
    }

    /** Data, level by level: what is large is opened by whoever wants to see it. */
    function tree(value, depth) {
        if (isRaw(value)) return element("span", { class: "value number" }, value.rawJSON);
        if (value === null || typeof value !== "object") {
            const kind = value === null ? "null" : typeof value;
            return element("span", { class: `value ${kind}` }, typeof value === "string" ? JSON.stringify(value) : String(value));
        }
        const members = Object.entries(value);
        const [start, end] = Array.isArray(value) ? "[]" : "{}";
        if (members.length === 0) return element("span", { class: "value" }, start + end);
        const what = Array.isArray(value) ? "item" : "member";
        return element(
            "details",
            { open: depth < 1 || (depth < 3 && members.length <= 5) },
            element("summary", {}, `${start} ${counted(members.length, what)} ${end}`),
            element("ul", {}, members.map(([name, member]) =>
                element("li", {}, element("span", { class: "key" }, `${name}: `), tree(member, depth + 1)))),
        );
    }

    // ---- Caches and the route.

    /** What the page store did, from `Cache-Status` (RFC 9211). */
    function cacheVerdict() {
        const field = record.answer["cache-status"];
        if (!field) {
            const why = record.status >= 400 ? "errors are not kept" : record.explain.page?.store.why_not;
            return { word: "not kept", text: why ?? "the page store was not asked" };
        }
        const has = word => new RegExp(`;\\s*${word}(\\s*;|\\s*$|=)`).test(field);
        const because = /fwd=([a-z-]+)/.exec(field)?.[1];
        const isDegraded = !has("stored") && failures().length > 0;
        const rest = (has("stored") ? "; it is stored now" : "") + (has("collapsed") ? "; made once for several requests" : "")
            + (isDegraded ? "; not stored, because it does without a source" : "");
        if (has("hit")) {
            const left = Number(/ttl=(-?\d+)/.exec(field)?.[1] ?? 0);
            return left < 0
                ? { word: "stale", text: `from the store, ${-left} s too old, while it is made anew`, isFromStore: true }
                : { word: "hit", text: `from the store, fresh for ${left} s more`, isFromStore: true };
        }
        const why = { "uri-miss": "the store had no such page", miss: "the store had no such page", stale: "what the store had is too old" };
        return { word: "miss", text: `made now: ${why[because] ?? because ?? "the store had none"}${rest}` };
    }

    function caches() {
        const page = record.explain?.page;
        const key = page?.store?.key;
        const { answer } = record;
        return rows([
            ["verdict", element("span", {}, element("b", {}, cacheVerdict().word), ` — ${cacheVerdict().text}`)],
            ["sent by serve", answer["cache-control"] && `Cache-Control: ${answer["cache-control"]}`],
            ["browser", page?.lifetimes.browser],
            ["on the way", page?.lifetimes.cdn],
            ["page store", page?.lifetimes.store],
            ["key", key && [key.subject, ...key.parts.map(part => `${part.section} ${part.name}: ${part.value ?? "absent"}`)]],
            ["vary", answer.vary],
            ["age", answer.age && `${answer.age} s`],
            ["privacy", page && (page.privacy.public ? "public: nothing of it is one person's" : ["one person's:", ...page.privacy.path.map(step => [step.what, step.how, located(step.place)].filter(Boolean).join(" "))])],
            ["Cache-Status", answer["cache-status"]],
        ]);
    }

    function route(explain) {
        const { page } = explain;
        const at = explain.route;
        const input = input => `${input.name} = ${input.value === null ? `(${input.state === "present" ? "not shown" : input.state})` : JSON.stringify(input.value)}`;
        return rows([
            ["file", at ? `${at.file} (${at.kind})` : "no route claims this URL"],
            ["path", at?.paths.join(", ")],
            ["layouts", page?.layouts],
            ["status", `${record.status}, ${explain.verdict.why}${explain.verdict.hint ? ` — ${explain.verdict.hint}` : ""}`],
            ["reads", page?.inputs.filter(input => input.read).map(input)],
            ["ignores", page?.ignored.filter(name => !name.startsWith("header ")).join(", ")],
            ["request id", record.id],
        ]);
    }

    // ---- It begins.

    async function begin() {
        if (request) {
            const answer = await fetch(`${PREFIX}requests/${request}`);
            // Another site may have taken over meanwhile; then the page is shown again.
            record = answer.ok ? parsed(await answer.text()) : null;
        }
        await styled;
        if (request) root.append(panel, button);
        showButton();
        showPanel();
        const hasFailed = record && record.sources.some(source => source.fatal);
        if (hasFailed || memory.get("panel") === "open") open(record !== undefined, false);
    }

    root.append(overlay);
    document.documentElement.append(host);
    begin();
    styled.then(listen);
    // A page that comes back from the history has slept through what happened, also that it was shown anew.
    window.addEventListener("pageshow", event => { if (event.persisted) { memory.set("reloaded", ""); listen(); } });
    document.addEventListener("visibilitychange", () => { if (!document.hidden) catchUp(); });
})();
