// Takes pictures of pages, light and dark, on a phone and on a desktop, so that people can look at them.
//
// From the environment: that of `browser.mjs`. From the input: JSON, a list of pages with `path` and `name`.

import { readFileSync } from "node:fs";
import { open, picture, travel } from "./browser.mjs";

travel(async page => {
    for (const { path, name } of JSON.parse(readFileSync(0, "utf8"))) {
        await open(page, path);
        await picture(page, name);
    }
});
