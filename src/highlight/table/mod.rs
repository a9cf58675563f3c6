//! The one table of languages.

mod braces;

use super::words::{Habit, Quote, Words};
use super::{Grammar, Language, shell};
use Habit::{Annotations, AnyCase, Calls, CapitalTypes, Dollars, Keys, Lines};
use braces::{C, C_SHARP, DART, GO, JAVA, JAVASCRIPT, KOTLIN, PHP, RUST, SWIFT, ZIG};

/// Every language, in the order of their titles.
pub static LANGUAGES: &[Language] = &[
    row("C, C++", &["c", "cpp", "c++", "h", "hpp", "cc"], Grammar::Words(&C)),
    row("C#", &["csharp", "cs", "c#"], Grammar::Words(&C_SHARP)),
    row("CSS", &["css"], Grammar::Style { line_comments: false }),
    row("CSV", &["csv", "tsv"], Grammar::Words(&VALUES)),
    row("Dart", &["dart"], Grammar::Words(&DART)),
    row("Diff", &["diff", "patch"], Grammar::Diff),
    row("Dockerfile", &["dockerfile", "docker", "containerfile"], Grammar::Words(&DOCKERFILE)),
    row("Elixir", &["elixir", "ex", "exs"], Grammar::Words(&ELIXIR)),
    row("Go", &["go", "golang"], Grammar::Words(&GO)),
    row("GraphQL", &["graphql", "gql"], Grammar::Words(&GRAPHQL)),
    row("HTML", &["html", "htm", "xhtml", "vue", "svelte"], Grammar::Markup { html: true }),
    row("HTTP", &["http"], Grammar::Http),
    row(
        "INI",
        &["ini", "cfg", "conf", "properties", "env", "dotenv", "systemd"],
        Grammar::Keyed { comment: Some(b';') },
    ),
    row("Java", &["java", "groovy", "gradle"], Grammar::Words(&JAVA)),
    row("JavaScript", &["js", "javascript", "mjs", "cjs", "jsx", "node"], Grammar::Words(&JAVASCRIPT)),
    row("JSON", &["json", "jsonc", "json5", "jsonl", "ndjson", "webmanifest"], Grammar::Words(&JSON)),
    row("Kotlin", &["kotlin", "kt", "kts"], Grammar::Words(&KOTLIN)),
    row("Liquid", &["liquid", "jinja", "jinja2", "twig", "handlebars"], Grammar::Markup { html: true }),
    row("Lua", &["lua"], Grammar::Words(&LUA)),
    row("Makefile", &["makefile", "make", "mk"], Grammar::Words(&MAKEFILE)),
    row("Markdown", &["markdown", "md", "mdx"], Grammar::Markdown),
    row("nginx", &["nginx", "caddyfile", "hcl", "terraform", "tf"], Grammar::Words(&BLOCKS)),
    row("Perl", &["perl", "pl"], Grammar::Words(&PERL)),
    row("PHP", &["php"], Grammar::Words(&PHP)),
    row("PowerShell", &["powershell", "ps1", "pwsh"], Grammar::Words(&POWERSHELL)),
    row("Python", &["python", "py", "python3", "starlark"], Grammar::Words(&PYTHON)),
    row("R", &["r"], Grammar::Words(&R)),
    row("Ruby", &["ruby", "rb"], Grammar::Words(&RUBY)),
    row("Rust", &["rust", "rs"], Grammar::Words(&RUST)),
    row("SCSS, Less", &["scss", "less", "sass"], Grammar::Style { line_comments: true }),
    row("Shell", &["bash", "sh", "shell", "zsh"], Grammar::Words(&SHELL)),
    row("SQL", &["sql", "postgresql", "postgres", "mysql", "sqlite"], Grammar::Words(&SQL)),
    row("Swift", &["swift"], Grammar::Words(&SWIFT)),
    row("Terminal", &["console", "terminal", "shell-session", "sh-session"], Grammar::Console),
    row("TOML", &["toml"], Grammar::Keyed { comment: None }),
    row("TypeScript", &["ts", "typescript", "mts", "cts", "tsx"], Grammar::Words(&JAVASCRIPT)),
    row("XML", &["xml", "svg", "rss", "atom", "xsl", "xslt", "plist"], Grammar::Markup { html: false }),
    row("YAML", &["yaml", "yml"], Grammar::Yaml),
    row("Zig", &["zig"], Grammar::Words(&ZIG)),
];

const fn row(title: &'static str, names: &'static [&'static str], grammar: Grammar) -> Language {
    Language { title, names, grammar }
}

const DOUBLE: Quote = Quote { open: "\"", close: "\"", escapes: true, lines: false };
const SINGLE: Quote = Quote { open: "'", close: "'", escapes: true, lines: false };
/// Over lines, and with escapes.
const DOUBLE_LINES: Quote = Quote { lines: true, ..DOUBLE };
/// Over lines, and without escapes: a quote is doubled.
const SINGLE_RAW: Quote = Quote { open: "'", close: "'", escapes: false, lines: true };
const TRIPLE: Quote = Quote { open: "\"\"\"", close: "\"\"\"", escapes: true, lines: true };
const TRIPLE_SINGLE: Quote = Quote { open: "'''", close: "'''", escapes: true, lines: true };
const BACKTICK: Quote = Quote { open: "`", close: "`", escapes: true, lines: true };
const BACKTICK_RAW: Quote = Quote { open: "`", close: "`", escapes: false, lines: true };

/// Nothing at all; what the rows below begin with.
const NONE: Words = Words {
    comments: &[],
    block: None,
    quotes: &[DOUBLE, SINGLE],
    prefixes: &[],
    keywords: &[],
    constants: &[],
    types: &[],
    in_word: &[],
    habits: &[Calls],
    own: None,
};

/// Comments as in C.
const C_LIKE: Words = Words { comments: &["//"], block: Some(("/*", "*/")), ..NONE };
/// Comments as in shells.
const HASH: Words = Words { comments: &["#"], ..NONE };

static VALUES: Words = Words { quotes: &[Quote { escapes: false, ..DOUBLE_LINES }], habits: &[], ..NONE };

static DOCKERFILE: Words = Words {
    quotes: &[DOUBLE],
    keywords: &[
        "ADD",
        "ARG",
        "AS",
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "LABEL",
        "ONBUILD",
        "RUN",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    ],
    habits: &[Dollars],
    ..HASH
};

static ELIXIR: Words = Words {
    quotes: &[TRIPLE, DOUBLE, SINGLE],
    keywords: &[
        "after",
        "alias",
        "and",
        "case",
        "catch",
        "cond",
        "def",
        "defexception",
        "defimpl",
        "defmacro",
        "defmodule",
        "defp",
        "defprotocol",
        "defstruct",
        "do",
        "else",
        "end",
        "fn",
        "for",
        "if",
        "import",
        "in",
        "not",
        "or",
        "quote",
        "raise",
        "receive",
        "require",
        "rescue",
        "try",
        "unless",
        "unquote",
        "use",
        "when",
        "with",
    ],
    constants: &["true", "false", "nil"],
    habits: &[Calls, CapitalTypes, Annotations],
    ..HASH
};

static GRAPHQL: Words = Words {
    quotes: &[TRIPLE, DOUBLE],
    keywords: &[
        "directive",
        "enum",
        "extend",
        "fragment",
        "implements",
        "input",
        "interface",
        "mutation",
        "on",
        "query",
        "repeatable",
        "scalar",
        "schema",
        "subscription",
        "type",
        "union",
    ],
    constants: &["true", "false", "null"],
    habits: &[Keys, CapitalTypes, Annotations, Dollars],
    ..HASH
};

static JSON: Words = Words { constants: &["true", "false", "null", "NaN", "Infinity"], habits: &[Keys], ..C_LIKE };

static LUA: Words = Words {
    comments: &["--"],
    block: Some(("--[[", "]]")),
    quotes: &[DOUBLE, SINGLE, Quote { open: "[[", close: "]]", escapes: false, lines: true }],
    keywords: &[
        "and", "break", "do", "else", "elseif", "end", "for", "function", "goto", "if", "in", "local", "not", "or",
        "repeat", "return", "then", "until", "while",
    ],
    constants: &["true", "false", "nil"],
    ..NONE
};

static MAKEFILE: Words = Words {
    quotes: &[DOUBLE],
    keywords: &[
        "define", "else", "endef", "endif", "export", "ifdef", "ifeq", "ifndef", "ifneq", "include", "override",
    ],
    in_word: b"-./%",
    habits: &[Keys, Dollars],
    ..HASH
};

/// Configuration in blocks of braces.
static BLOCKS: Words = Words {
    constants: &["true", "false", "null", "on", "off"],
    keywords: &[
        "data",
        "events",
        "http",
        "if",
        "import",
        "include",
        "listen",
        "locals",
        "location",
        "map",
        "module",
        "output",
        "provider",
        "resource",
        "return",
        "rewrite",
        "root",
        "server",
        "server_name",
        "set",
        "terraform",
        "upstream",
        "variable",
    ],
    habits: &[Calls, Dollars],
    ..HASH
};

static PERL: Words = Words {
    keywords: &[
        "and", "die", "do", "else", "elsif", "eq", "for", "foreach", "if", "last", "local", "my", "ne", "next", "no",
        "not", "or", "our", "package", "print", "push", "qw", "require", "return", "say", "shift", "sub", "unless",
        "until", "use", "while",
    ],
    habits: &[Calls, Dollars, Annotations],
    ..HASH
};

static POWERSHELL: Words = Words {
    block: Some(("<#", "#>")),
    quotes: &[Quote { escapes: false, ..DOUBLE_LINES }, SINGLE_RAW],
    keywords: &[
        "begin", "break", "catch", "class", "continue", "do", "else", "elseif", "end", "enum", "exit", "filter",
        "finally", "for", "foreach", "function", "if", "in", "param", "process", "return", "switch", "throw", "trap",
        "try", "until", "using", "while",
    ],
    in_word: b"-",
    habits: &[AnyCase, Dollars],
    ..HASH
};

static PYTHON: Words = Words {
    quotes: &[TRIPLE, TRIPLE_SINGLE, DOUBLE, SINGLE],
    prefixes: &["f", "r", "b", "u", "F", "R", "B", "U", "rb", "br", "Rb", "bR", "BR", "RB", "fr", "rf", "t"],
    keywords: &[
        "and", "as", "assert", "async", "await", "break", "case", "class", "continue", "def", "del", "elif", "else",
        "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "match", "nonlocal", "not",
        "or", "pass", "raise", "return", "try", "type", "while", "with", "yield",
    ],
    constants: &["True", "False", "None", "self", "cls"],
    types: &["bool", "bytes", "dict", "float", "frozenset", "int", "list", "object", "set", "str", "tuple"],
    habits: &[Calls, CapitalTypes, Annotations],
    ..HASH
};

static R: Words = Words {
    keywords: &["break", "else", "for", "function", "if", "in", "library", "next", "repeat", "return", "while"],
    constants: &["TRUE", "FALSE", "NULL", "NA", "NaN", "Inf"],
    in_word: b".",
    ..HASH
};

static RUBY: Words = Words {
    quotes: &[DOUBLE_LINES, Quote { lines: true, ..SINGLE }, BACKTICK],
    keywords: &[
        "BEGIN",
        "END",
        "alias",
        "and",
        "begin",
        "break",
        "case",
        "class",
        "def",
        "defined?",
        "do",
        "else",
        "elsif",
        "end",
        "ensure",
        "extend",
        "for",
        "if",
        "in",
        "include",
        "module",
        "next",
        "not",
        "or",
        "private",
        "protected",
        "public",
        "raise",
        "redo",
        "require",
        "require_relative",
        "rescue",
        "retry",
        "return",
        "self",
        "super",
        "then",
        "undef",
        "unless",
        "until",
        "when",
        "while",
        "yield",
    ],
    constants: &["true", "false", "nil", "__FILE__"],
    in_word: b"?",
    habits: &[Calls, CapitalTypes, Annotations, Dollars],
    ..HASH
};

static SHELL: Words = Words {
    quotes: &[DOUBLE_LINES, SINGLE_RAW],
    keywords: shell::KEYWORDS,
    habits: &[Lines],
    own: Some(shell::token),
    ..NONE
};

static SQL: Words = Words {
    comments: &["--"],
    block: Some(("/*", "*/")),
    quotes: &[SINGLE_RAW, Quote { open: "\"", close: "\"", escapes: false, lines: false }, BACKTICK_RAW],
    keywords: &[
        "add",
        "all",
        "alter",
        "and",
        "any",
        "as",
        "asc",
        "begin",
        "between",
        "by",
        "cascade",
        "case",
        "cast",
        "check",
        "column",
        "commit",
        "conflict",
        "constraint",
        "create",
        "cross",
        "database",
        "default",
        "delete",
        "desc",
        "distinct",
        "do",
        "drop",
        "else",
        "end",
        "except",
        "exists",
        "explain",
        "fetch",
        "first",
        "for",
        "foreign",
        "from",
        "full",
        "function",
        "grant",
        "group",
        "having",
        "if",
        "ilike",
        "in",
        "index",
        "inner",
        "insert",
        "intersect",
        "into",
        "is",
        "join",
        "key",
        "last",
        "lateral",
        "left",
        "like",
        "limit",
        "materialized",
        "natural",
        "not",
        "nothing",
        "nulls",
        "offset",
        "on",
        "only",
        "or",
        "order",
        "outer",
        "over",
        "partition",
        "primary",
        "procedure",
        "recursive",
        "references",
        "replace",
        "returning",
        "revoke",
        "right",
        "rollback",
        "row",
        "rows",
        "select",
        "set",
        "table",
        "then",
        "to",
        "transaction",
        "trigger",
        "truncate",
        "union",
        "unique",
        "update",
        "using",
        "values",
        "view",
        "when",
        "where",
        "window",
        "with",
    ],
    constants: &["true", "false", "null"],
    types: &[
        "bigint",
        "bigserial",
        "blob",
        "boolean",
        "char",
        "date",
        "decimal",
        "double",
        "float",
        "int",
        "integer",
        "json",
        "jsonb",
        "numeric",
        "real",
        "serial",
        "smallint",
        "text",
        "time",
        "timestamp",
        "timestamptz",
        "uuid",
        "varchar",
    ],
    habits: &[AnyCase, Calls],
    ..NONE
};
