// What the pages do besides, where scripts run: code to copy, links to headings, results while one types. All of it works without.

const make = (name, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
};

// Code is copied with its own button.
for (const block of document.querySelectorAll("pre")) {
    if (!navigator.clipboard) break;
    const button = make("button", { type: "button", textContent: "Copy" });
    const around = make("div", { className: "copied" });
    block.replaceWith(around);
    around.append(block, button);
    button.addEventListener("click", async () => {
        const text = block.innerText.replace(/^\$ /gm, "");
        button.textContent = await navigator.clipboard.writeText(text).then(() => "Copied", () => "Not copied");
        setTimeout(() => (button.textContent = "Copy"), 2000);
    });
}

// Headings link to themselves.
for (const heading of document.querySelectorAll(".prose :is(h2, h3, h4)[id]")) {
    const link = make("a", { className: "anchor", href: `#${heading.id}`, textContent: "#", ariaLabel: `Link to: ${heading.textContent}` });
    heading.append(link);
}

// What scrolls sideways can be reached with the keyboard.
new ResizeObserver(() => {
    // All are measured before one is changed: the page is laid out once.
    const boxes = [...document.querySelectorAll("pre, table")].map(box => [box, box.scrollWidth > box.clientWidth]);
    for (const [box, scrolls] of boxes) {
        if (scrolls) box.tabIndex = 0;
        else box.removeAttribute("tabindex");
    }
}).observe(document.body);

// The lists at the sides are open where there is room for them, as the style sheet shows them.
for (const [name, width] of [["side", "62rem"], ["toc", "82rem"]]) {
    const fold = document.querySelector(`.${name} .fold`);
    const wide = matchMedia(`(min-width: ${width})`);
    const fit = () => fold && (fold.open = wide.matches);
    wide.addEventListener("change", fit);
    fit();
}

// In a long list, the page that one is on is in sight.
const side = document.querySelector(".side");
const here = side?.querySelector("[aria-current]");
if (here) side.scrollTop = here.offsetTop - side.offsetTop - side.clientHeight / 2;

// "On this page" says where one is.
const places = new Map([...document.querySelectorAll(".toc a")].map(link => [link.hash.slice(1), link]));
const seen = new IntersectionObserver(entries => {
    const first = entries.find(entry => entry.isIntersecting);
    if (!first) return;
    for (const [id, link] of places) {
        if (decodeURIComponent(id) === first.target.id) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
    }
}, { rootMargin: "0px 0px -75% 0px" });
for (const id of places.keys()) {
    const heading = document.getElementById(decodeURIComponent(id));
    if (heading) seen.observe(heading);
}

// Results while one types: a combobox with a list (WAI-ARIA APG); Enter without a choice sends the form.
for (const form of document.querySelectorAll("form[role=search]")) {
    const input = form.elements.q;
    const list = make("ul", { className: "suggestions", id: `${input.id}-results`, role: "listbox", ariaLabel: "Results", hidden: true });
    const said = make("p", { className: "unseen", role: "status" });
    form.append(list, said);
    input.role = "combobox";
    input.ariaAutoComplete = "list";
    input.ariaExpanded = "false";
    input.setAttribute("aria-controls", list.id);
    let chosen = -1;
    let asked = "";

    const show = open => {
        list.hidden = !open;
        input.ariaExpanded = String(open);
        if (!open) choose(-1);
    };
    const choose = index => {
        chosen = index;
        [...list.children].forEach((option, at) => (option.ariaSelected = String(at === index)));
        const option = list.children[index];
        if (option) {
            input.setAttribute("aria-activedescendant", option.id);
            option.scrollIntoView({ block: "nearest" });
        } else input.removeAttribute("aria-activedescendant");
    };
    const option = (found, index) => {
        const excerpt = (found.excerpt ?? []).map(piece => piece.is_match ? make("mark", {}, piece.text) : piece.text);
        const title = found.heading ? `${found.title} › ${found.heading}` : found.title;
        const part = found.link.startsWith("/reference") ? "Reference" : "Manual";
        const item = make("li", { role: "option", id: `${list.id}-${index}`, ariaSelected: "false" }, title, make("span", { className: "of" }, ` ${part}`), make("small", {}, ...excerpt));
        item.dataset.to = found.link;
        return item;
    };
    const all = (words, total, index) => {
        const item = make("li", { role: "option", id: `${list.id}-${index}`, ariaSelected: "false" }, `All ${total} results`);
        item.dataset.to = `/search?q=${encodeURIComponent(words)}`;
        return item;
    };
    const ask = async () => {
        const words = input.value.trim();
        if (words === asked) return;
        asked = words;
        if (!words) return show(false);
        const answer = await fetch(`/api/search?q=${encodeURIComponent(words)}`).catch(() => null);
        if (!answer?.ok || asked !== words) return;
        const { results, total } = await answer.json();
        if (asked !== words) return;
        list.replaceChildren(...results.map(option));
        if (total > results.length) list.append(all(words, total, results.length));
        said.textContent = total > results.length ? `The best ${results.length} of ${total} results` : total ? `${total} results` : "No results";
        show(results.length > 0 && document.activeElement === input);
    };
    let waiting;
    input.addEventListener("input", () => {
        clearTimeout(waiting);
        waiting = setTimeout(ask, 120);
    });
    input.addEventListener("keydown", event => {
        const count = list.children.length;
        if (event.key === "Escape" && !list.hidden) {
            event.preventDefault();
            show(false);
        } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && count) {
            event.preventDefault();
            const step = event.key === "ArrowDown" ? 1 : -1;
            if (list.hidden) show(true);
            // Beyond either end is the field itself, where nothing is chosen.
            choose((chosen + 1 + step + count + 1) % (count + 1) - 1);
        } else if (event.key === "Enter" && list.children[chosen]) {
            event.preventDefault();
            location.assign(list.children[chosen].dataset.to);
        }
    });
    list.addEventListener("mousedown", event => event.preventDefault());
    list.addEventListener("click", event => {
        const to = event.target.closest("li")?.dataset.to;
        if (to) location.assign(to);
    });
    input.addEventListener("blur", () => show(false));
    input.addEventListener("focus", () => list.children.length && input.value.trim() && show(true));
}
