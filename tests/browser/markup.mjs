// Judges the HTML of the pages below a folder by html-validate: a line for each finding, and one that says how many pages that were.
//
// From the environment: HTML_VALIDATE is the folder of `html-validate`. The argument is the folder of the pages.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const { HtmlValidate, StaticConfigLoader } = await import(pathToFileURL(join(process.env.HTML_VALIDATE, "dist/esm/index.js")));

// Every rule of the recommended set, but:
const RULES = {
    // The standard allows any case, and its own examples are in lower case.
    "doctype-style": ["error", { style: "lowercase" }],
    // What the standard takes an element for that does not say it, is what is meant: a field of text, and the button that sends the form.
    "no-implicit-input-type": "off",
    "no-implicit-button-type": "off",
    // Markdown is written as CommonMark's specification writes it, and so that feeds, which are XML, can have it too.
    "void-style": "off",
    "attribute-boolean-style": "off",
    // Within `pre` they are text: what code prints is shown as it is.
    "no-trailing-whitespace": "off",
};

// Columns of Markdown tables are aligned by `align`, as in GitHub's specification: a strict content security policy allows no inline style, and
// without a style sheet of ours a class would align nothing. Every other obsolete attribute is an error.
const align = { align: { enum: ["left", "center", "right"] } };
const elements = ["html5", { td: { attributes: align }, th: { attributes: align } }];

const judge = new HtmlValidate(new StaticConfigLoader({ extends: ["html-validate:recommended"], elements, rules: RULES }));

let pages = 0;
for (const entry of readdirSync(process.argv[2], { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".html")) continue;
    const path = join(entry.parentPath, entry.name);
    pages += 1;
    const { results } = await judge.validateString(readFileSync(path, "utf8"), path);
    for (const { messages } of results) {
        for (const { line, column, ruleId, message, selector } of messages) {
            console.log(`${path}:${line}:${column}: ${ruleId}: ${message} ${selector ?? ""}`);
        }
    }
}
console.log(`html-validate read ${pages} pages`);
