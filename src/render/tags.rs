//! The one table of tags that begin something: what the reference says of each, with examples that are tests.

/// A tag that begins something, and what the reference says of it.
#[derive(Debug, Clone, Copy)]
pub struct TagDocs {
    /// Its name.
    pub name: &'static str,
    /// What it makes of where values come from.
    pub effect: TagEffect,
    /// What it does: Markdown.
    pub docs: &'static str,
    /// Uses of it.
    pub examples: &'static [TagExample],
}

/// A use of a tag.
#[derive(Debug, Clone, Copy)]
pub struct TagExample {
    /// The template, for [`EXAMPLE_DATA`](super::EXAMPLE_DATA) and [`EXAMPLE_PARTIALS`].
    pub template: &'static str,
    /// What it prints.
    pub printed: &'static str,
}

const fn shows(template: &'static str, printed: &'static str) -> TagExample {
    TagExample { template, printed }
}

/// What a tag makes of where values come from, and with it of whether they are escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagEffect {
    /// It has to do with no value, and prints none.
    Nothing,
    /// It prints values as `{{ }}` does.
    Prints,
    /// It looks at values; what its block prints is escaped there.
    Chooses,
    /// It gives a value a name, and the value stays what it is.
    Binds,
    /// What its block printed is escaped, and so it is markup.
    Captures,
    /// It gives values to a partial, whose outputs are escaped for the place where it is called.
    Calls,
    /// It prints words of the layout, which are markup.
    Literal,
    /// It shows what its block printed as text between tags of its own.
    Shows,
}

impl TagEffect {
    /// The same in words, for the reference; nothing where there is nothing to say.
    #[must_use]
    pub fn says(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Prints => "What it prints is escaped for its place.",
            Self::Chooses => "What its block prints is escaped there.",
            Self::Binds => "Values stay what they are, text or markup.",
            Self::Captures => "What its block prints is escaped there, and is markup from then on.",
            Self::Calls => {
                "Values that a partial gets stay what they are, and are escaped there for the place of the call."
            }
            Self::Literal => "Its block is markup, as all that the layout itself says.",
            Self::Shows => "Its block is escaped whole, markup too.",
        }
    }
}

/// The partials that the examples of tags call: each its name and its text.
pub static EXAMPLE_PARTIALS: &[(&str, &str)] =
    &[("card", "[{{ item.name }}, {{ item.price }}]"), ("left", "{{ count }} of {{ products.size }}")];

/// Every tag that begins something, in alphabetical order.
pub static TAGS: &[TagDocs] = &[
    TagDocs {
        name: "assign",
        effect: TagEffect::Binds,
        docs: "Sets a variable, which holds to the end of the layout or partial.",
        examples: &[shows("{% assign total = products[1].price | times: 2 %}{{ total }}", "18")],
    },
    TagDocs {
        name: "break",
        effect: TagEffect::Nothing,
        docs: "Ends the loop around it.",
        examples: &[shows(
            "{% for item in products %}{% if item.price < 10 %}{% break %}{% endif %}{{ item.name }}{% endfor %}",
            "Anvil",
        )],
    },
    TagDocs {
        name: "capture",
        effect: TagEffect::Captures,
        docs: "Sets a variable to what its block prints.",
        examples: &[shows(
            "{% capture both %}{{ products[0].name }} & {{ products[1].name }}{% endcapture %}{{ both }}",
            "Anvil & Rope",
        )],
    },
    TagDocs {
        name: "case",
        effect: TagEffect::Chooses,
        docs: "Chooses the block whose value is equal; `else` for any other. Values are separated by commas or `or`.",
        examples: &[
            shows(
                r#"{% case products[1].name %}{% when "Rope", "String" %}soft{% when "Anvil" %}hard{% else %}unknown{% endcase %}"#,
                "soft",
            ),
            shows("{% case products.size %}{% when 0 %}none{% when 1 or 2 %}a few{% else %}many{% endcase %}", "many"),
        ],
    },
    TagDocs {
        name: "comment",
        effect: TagEffect::Nothing,
        docs: "Is for those who read the layout: nothing of it is printed, and no tag in it runs.",
        examples: &[shows("a{% comment %} until the {{ sale }} is over {% endcomment %}b", "ab")],
    },
    TagDocs {
        name: "continue",
        effect: TagEffect::Nothing,
        docs: "Goes on with the next item of the loop around it.",
        examples: &[shows(
            "{% for item in products %}{% unless item.stock %}{% continue %}{% endunless %}{{ item.name }} {% endfor %}",
            "Anvil Rope ",
        )],
    },
    TagDocs {
        name: "cycle",
        effect: TagEffect::Prints,
        docs: "Prints its values in turn. With a group before a colon, each group takes turns of its own; without one, all that list the same literals take turns together.",
        examples: &[
            shows(
                r#"{% for item in products %}{{ item.name }} {% cycle "odd", "even" %} {% endfor %}"#,
                "Anvil odd Rope even Rocket odd ",
            ),
            shows(
                r#"{% cycle "rows": 1, 2 %}{% cycle "rows": 1, 2 %}{% cycle "cells": 1, 2 %}{% cycle "rows": 1, 2 %}"#,
                "1211",
            ),
        ],
    },
    TagDocs {
        name: "decrement",
        effect: TagEffect::Prints,
        docs: "Takes one from a counter, and prints it. A counter begins at 0, and is none of the variables that `assign` sets.",
        examples: &[shows("{% decrement left %} {% decrement left %}", "-1 -2")],
    },
    TagDocs {
        name: "doc",
        effect: TagEffect::Nothing,
        docs: "Says what a layout or partial is for; nothing of it is printed.",
        examples: &[shows("{% doc %}A card of one product: `item`.{% enddoc %}card", "card")],
    },
    TagDocs {
        name: "echo",
        effect: TagEffect::Prints,
        docs: "Prints a value, as `{{ }}` does; for `{% liquid %}`.",
        examples: &[shows("{% echo products[0].name | upcase %}", "ANVIL")],
    },
    TagDocs {
        name: "for",
        effect: TagEffect::Binds,
        docs: "Goes through a list, an object or a range; `else` if there is nothing. `offset` leaves items out, `limit` takes so many of the rest, \
               `reversed`, right behind the list, turns these around. `offset: continue` goes on where the last loop with the same variable and list ended. \
               What `forloop` knows is in [the language](../docs/guides/liquid.md#loops).",
        examples: &[
            shows(
                "{% for item in products %}{{ forloop.index }}. {{ item.name }}{% unless forloop.last %}, {% endunless %}{% endfor %}",
                "1. Anvil, 2. Rope, 3. Rocket",
            ),
            shows("{% for item in products reversed limit: 2 offset: 1 %}{{ item.name }} {% endfor %}", "Rocket Rope "),
            shows("{% for number in (1..4) %}{{ number }}{% endfor %}", "1234"),
            shows(
                "{% for pair in products[1] %}{{ pair[0] }}={{ pair[1] }} {% endfor %}",
                "name=Rope price=9 stock=40 ",
            ),
            shows("{% for item in offers %}{{ item.name }}{% else %}No offers.{% endfor %}", "No offers."),
            shows(
                "{% for item in products limit: 1 %}{{ item.name }}{% endfor %}; {% for item in products offset: continue %}{{ item.name }} {% endfor %}",
                "Anvil; Rope Rocket ",
            ),
        ],
    },
    TagDocs {
        name: "highlight",
        effect: TagEffect::Shows,
        docs: "Prints its block as code in the language that it names, with [classes for colours](code.md).",
        examples: &[shows(
            "{% highlight toml %}a = 1{% endhighlight %}",
            "<pre class=\"highlight\" tabindex=\"0\"><code class=\"language-toml\"><span class=\"hl-key\">a</span> = <span class=\"hl-number\">1</span></code></pre>",
        )],
    },
    TagDocs {
        name: "if",
        effect: TagEffect::Chooses,
        docs: "Prints its block if a condition holds; `elsif` and `else` otherwise. Conditions have `==`, `!=`, `<`, `>`, `<=`, `>=`, `contains`, `and`, `or`; how they are read is in [the language](../docs/guides/liquid.md#conditions).",
        examples: &[
            shows(
                "{% for item in products %}{% if item.stock > 9 %}many{% elsif item.stock %}few{% else %}none{% endif %} {% endfor %}",
                "few many none ",
            ),
            shows(
                r#"{% assign item = products[0] %}{% if item.price > 100 and item.name contains "vil" %}{{ item.name }}{% endif %}"#,
                "Anvil",
            ),
        ],
    },
    TagDocs {
        name: "ifchanged",
        effect: TagEffect::Chooses,
        docs: "Prints its block if that differs from the last time.",
        examples: &[shows(
            r#"{% assign sorted = products | sort: "price" %}{% for item in sorted %}{% ifchanged %}{{ item.price }}: {% endifchanged %}{{ item.name }} {% endfor %}"#,
            "9: Rope 120: Anvil Rocket ",
        )],
    },
    TagDocs {
        name: "include",
        effect: TagEffect::Calls,
        docs: "Prints a partial that sees the variables of its caller, and sets them. `with`, `for` and parameters are as with `render`.",
        examples: &[
            shows(r#"{% assign count = 2 %}{% include "left" %}"#, "2 of 3"),
            shows(r#"{% include "card" with products[1] as item %}"#, "[Rope, 9]"),
        ],
    },
    TagDocs {
        name: "increment",
        effect: TagEffect::Prints,
        docs: "Adds one to a counter, and prints what it was before. A counter begins at 0, and is none of the variables that `assign` sets.",
        examples: &[shows("{% increment count %} {% increment count %}", "0 1")],
    },
    TagDocs {
        name: "liquid",
        effect: TagEffect::Chooses,
        docs: "Tags one a line, without their signs.",
        examples: &[shows(
            "{% liquid\n  assign price = products[0].price\n  if price > 100\n    echo price | divided_by: 2\n  endif\n%}",
            "60",
        )],
    },
    TagDocs {
        name: "raw",
        effect: TagEffect::Literal,
        docs: "Prints its block as it is: braces are not read.",
        examples: &[shows("{% raw %}{{ as it is }}{% endraw %}", "{{ as it is }}")],
    },
    TagDocs {
        name: "render",
        effect: TagEffect::Calls,
        docs: "Prints a partial that sees only what it is given, and the first words of the route. `with value as name` gives it one value, \
               `for list as name` calls it once for each item; without `as`, the name is that of the partial.",
        examples: &[
            shows(r#"{% render "card", item: products[0] %}"#, "[Anvil, 120]"),
            shows(r#"{% render "card" with products[1] as item %}"#, "[Rope, 9]"),
            shows(r#"{% render "card" for products as item %}"#, "[Anvil, 120][Rope, 9][Rocket, 120]"),
        ],
    },
    TagDocs {
        name: "tablerow",
        effect: TagEffect::Binds,
        docs: "Goes through a list as cells of a table, with `cols` in a row; `limit` and `offset` as with `for`. \
               What `tablerowloop` knows is in [the language](../docs/guides/liquid.md#loops).",
        examples: &[
            shows(
                "<table>{% tablerow item in products cols: 2 limit: 3 %}{{ item.name }}{% endtablerow %}</table>",
                "<table><tr class=\"row1\">\n<td class=\"col1\">Anvil</td><td class=\"col2\">Rope</td></tr>\n<tr class=\"row2\"><td class=\"col1\">Rocket</td></tr>\n</table>",
            ),
            shows(
                "<table>{% tablerow item in products offset: 2 %}{{ tablerowloop.col }}{% endtablerow %}</table>",
                "<table><tr class=\"row1\">\n<td class=\"col1\">1</td></tr>\n</table>",
            ),
        ],
    },
    TagDocs {
        name: "unless",
        effect: TagEffect::Chooses,
        docs: "Prints its block if a condition does not hold; `elsif` and `else` are as with `if`.",
        examples: &[shows("{% unless products[2].stock %}gone{% endunless %}", "gone")],
    },
];
