//! Examples of RFC 9535, what other implementations get wrong, and a comparison with one of them.

use super::*;
use crate::value::{JsonLimits, parse_json, write_json};
use parse::DEEPEST;
use proptest::prelude::*;

fn json(text: &str) -> Value {
    parse_json(text, JsonLimits::default()).unwrap()
}

fn written(value: &Value) -> String {
    let mut out = String::new();
    write_json(value, &mut out);
    out
}

fn select(selector: &str, document: &str) -> String {
    let document = json(document);
    let nodes = Selector::compile(selector).unwrap().all(&document, &Budget::default()).unwrap();
    written(&Value::list(nodes.into_iter().cloned().collect()))
}

/// The document of RFC 9535 figure 1.
const STORE: &str = r#"{"store":{"book":[
    {"category":"reference","author":"Nigel Rees","title":"Sayings of the Century","price":8.95},
    {"category":"fiction","author":"Evelyn Waugh","title":"Sword of Honour","price":12.99},
    {"category":"fiction","author":"Herman Melville","title":"Moby Dick","isbn":"0-553-21311-3","price":8.99},
    {"category":"fiction","author":"J. R. R. Tolkien","title":"The Lord of the Rings","isbn":"0-395-19395-8","price":22.99}],
    "bicycle":{"color":"red","price":399}}}"#;

#[test]
fn the_bookshop_of_section_1_5() {
    for (selector, expected) in [
        ("$.store.book[*].author", r#"["Nigel Rees","Evelyn Waugh","Herman Melville","J. R. R. Tolkien"]"#),
        ("$..author", r#"["Nigel Rees","Evelyn Waugh","Herman Melville","J. R. R. Tolkien"]"#),
        ("$.store..price", "[8.95,12.99,8.99,22.99,399]"),
        ("$..book[2].title", r#"["Moby Dick"]"#),
        ("$..book[2].publisher", "[]"),
        ("$..book[-1].title", r#"["The Lord of the Rings"]"#),
        ("$..book[0,1].price", "[8.95,12.99]"),
        ("$..book[:2].price", "[8.95,12.99]"),
        ("$..book[?@.isbn].price", "[8.99,22.99]"),
        ("$..book[?@.price<10].price", "[8.95,8.99]"),
        ("$.store.bicycle['color']", r#"["red"]"#),
    ] {
        assert_eq!(select(selector, STORE), expected, "{selector}");
    }
    assert_eq!(Selector::compile("$..*").unwrap().all(&json(STORE), &Budget::default()).unwrap().len(), 27);
}

#[test]
fn selectors_of_sections_2_3_and_2_5() {
    let names = r#"{"o":{"j j":{"k.k":3}},"'":{"@":2}}"#;
    let letters = r#"["a","b","c","d","e","f","g"]"#;
    let mixed = r#"{"o":{"j":1,"k":2},"a":[5,3]}"#;
    let nested = r#"{"o":{"j":1,"k":2},"a":[5,3,[{"j":4},{"k":6}]]}"#;
    for (selector, document, expected) in [
        ("$.o['j j']['k.k']", names, "[3]"),
        ("$.o[\"j j\"][\"k.k\"]", names, "[3]"),
        (r#"$["'"]["@"]"#, names, "[2]"),
        (r"$['\'']['@']", names, "[2]"),
        (r"$['\u0027']['\u0040']", names, "[2]"),
        (r"$['\uD834\uDD1E']", r#"{"𝄞":1}"#, "[1]"),
        ("$[*]", mixed, r#"[{"j":1,"k":2},[5,3]]"#),
        ("$.o[*,*]", mixed, "[1,2,1,2]"),
        ("$.a[*]", mixed, "[5,3]"),
        ("$[1]", letters, r#"["b"]"#),
        ("$[-2]", letters, r#"["f"]"#),
        ("$[7]", letters, "[]"),
        ("$[-8]", letters, "[]"),
        ("$[1:3]", letters, r#"["b","c"]"#),
        ("$[5:]", letters, r#"["f","g"]"#),
        ("$[1:5:2]", letters, r#"["b","d"]"#),
        ("$[5:1:-2]", letters, r#"["f","d"]"#),
        ("$[::-1]", letters, r#"["g","f","e","d","c","b","a"]"#),
        ("$[::0]", letters, "[]"),
        ("$[-3:]", letters, r#"["e","f","g"]"#),
        ("$[:-5]", letters, r#"["a","b"]"#),
        ("$[-100:100:3]", letters, r#"["a","d","g"]"#),
        ("$[100:-100:-3]", letters, r#"["g","d","a"]"#),
        ("$[2:-113667776004:-1]", letters, r#"["c","b","a"]"#),
        ("$[0:3:9007199254740991]", letters, r#"["a"]"#),
        ("$[0:3,1]", letters, r#"["a","b","c","b"]"#),
        ("$ [ 1 : 5 : 2 ] ", letters, ""),
        ("$..j", nested, "[1,4]"),
        ("$..[0]", nested, r#"[5,{"j":4}]"#),
        ("$..o", nested, r#"[{"j":1,"k":2}]"#),
        ("$.o..[*,*]", nested, "[1,2,1,2]"),
        ("$.a..[0,1]", nested, r#"[5,3,{"j":4},{"k":6}]"#),
        ("$.☺_1", r#"{"☺_1":1}"#, "[1]"),
    ] {
        if expected.is_empty() {
            assert!(Selector::compile(selector).is_err(), "{selector}");
        } else {
            assert_eq!(select(selector, document), expected, "{selector}");
        }
    }
}

#[test]
fn comparisons_of_section_2_3_5_2() {
    let document = r#"{"obj":{"x":"y"},"arr":[2,3]}"#;
    for (condition, holds) in [
        ("$.absent1 == $.absent2", true),
        ("$.absent1 <= $.absent2", true),
        ("$.absent == 'g'", false),
        ("$.absent1 != $.absent2", false),
        ("$.absent != 'g'", true),
        ("1 <= 2", true),
        ("1 > 2", false),
        ("13 == '13'", false),
        ("'a' <= 'b'", true),
        ("'a' > 'b'", false),
        ("$.obj == $.arr", false),
        ("$.obj != $.arr", true),
        ("$.obj == $.obj", true),
        ("$.obj != $.obj", false),
        ("$.arr == $.arr", true),
        ("$.arr != $.arr", false),
        ("$.obj == 17", false),
        ("$.obj != 17", true),
        ("$.obj <= $.arr", false),
        ("$.obj < $.arr", false),
        ("$.obj <= $.obj", true),
        ("$.arr <= $.arr", true),
        ("1 <= $.arr", false),
        ("1 >= $.arr", false),
        ("1 > $.arr", false),
        ("true <= true", true),
        ("true > true", false),
        ("null <= null", true),
        ("-0 == 0", true),
        ("1.0 == 1", true),
        ("1e2 == 100", true),
        ("18446744073709551615 > 9223372036854775807", true),
        ("1.5 > 1", true),
        ("'\\u00e9' > 'z'", true),
    ] {
        let selected = select(&format!("$[?{condition}]"), document) != "[]";
        assert_eq!(selected, holds, "{condition}");
    }
}

#[test]
fn filters_of_section_2_3_5_3() {
    let document = r#"{"a":[3,5,1,2,4,6,{"b":"j"},{"b":"k"},{"b":{}},{"b":"kilo"}],"o":{"p":1,"q":2,"r":3,"s":5,"t":{"u":6}},"e":"f"}"#;
    for (selector, expected) in [
        ("$.a[?@.b == 'kilo']", r#"[{"b":"kilo"}]"#),
        ("$.a[?(@.b == 'kilo')]", r#"[{"b":"kilo"}]"#),
        ("$.a[?@>3.5]", "[5,4,6]"),
        ("$.a[?@.b]", r#"[{"b":"j"},{"b":"k"},{"b":{}},{"b":"kilo"}]"#),
        (
            "$[?@.*]",
            r#"[[3,5,1,2,4,6,{"b":"j"},{"b":"k"},{"b":{}},{"b":"kilo"}],{"p":1,"q":2,"r":3,"s":5,"t":{"u":6}}]"#,
        ),
        ("$[?@[?@.b]][6]", r#"[{"b":"j"}]"#),
        ("$.o[?@<3, ?@<3]", "[1,2,1,2]"),
        (r#"$.a[?@<2 || @.b == "k"]"#, r#"[1,{"b":"k"}]"#),
        (r#"$.a[?match(@.b, "[jk]")]"#, r#"[{"b":"j"},{"b":"k"}]"#),
        (r#"$.a[?search(@.b, "[jk]")]"#, r#"[{"b":"j"},{"b":"k"},{"b":"kilo"}]"#),
        ("$.o[?@>1 && @<4]", "[2,3]"),
        ("$.o[?@.u || @.x]", r#"[{"u":6}]"#),
        ("$.a[?@.b == $.x]", "[3,5,1,2,4,6]"),
        ("$.a[?@ == @]", r#"[3,5,1,2,4,6,{"b":"j"},{"b":"k"},{"b":{}},{"b":"kilo"}]"#),
        ("$.a[?! @.b && !(@ > 2)]", "[1,2]"),
        ("$.a[?length(@.b) == 4].b", r#"["kilo"]"#),
        ("$[?count(@.*) == 5].p", "[1]"),
        ("$[?value(@..u) == 6].p", "[1]"),
        ("$.a[?match(@.b, $.e)]", "[]"),
        ("$[?match(@, value($.o.nothing))]", "[]"),
    ] {
        assert_eq!(select(selector, document), expected, "{selector}");
    }
}

#[test]
fn what_other_implementations_get_wrong() {
    // Node by node, not selector by selector.
    let pairs = r#"[{"a":"b","d":"e"},{"a":"c","d":"f"}]"#;
    assert_eq!(select("$..['a','d']", pairs), r#"["b","e","c","f"]"#);
    // A filter within a filter's query.
    assert_eq!(select("$[?@[?@>1]]", "[[0],[0,1],[0,1,2],[42]]"), "[[0,1,2],[42]]");
    // A regular expression from the document, and the two line separators that are no line breaks of RFC 9485.
    assert_eq!(select("$.v[?match(@, $.r)]", r#"{"r":"b.?b","v":["abc","bab","bbab",true,[]]}"#), r#"["bab"]"#);
    assert_eq!(select("$[?match(@, '.')]", r#"["\u2028","\r","\n",true]"#), "[\"\u{2028}\"]");
    assert_eq!(select("$..[?length(@)==length($ [0] .a)]", r#"[{"a":"foo"},{}]"#), r#"["foo"]"#);
}

#[test]
fn what_is_no_selector_is_refused_with_its_place() {
    for (selector, range, message) in [
        ("", 0..0, "a selector begins with `$`"),
        ("title", 0..1, "a selector begins with `$`"),
        (" $", 0..1, "a selector begins with `$`"),
        ("$ ", 1..2, "expected the end, `.` or `[`, found ` `"),
        ("$.", 2..2, "expected a name or `*`, found the end"),
        ("$..", 3..3, "expected a name or `*`, found the end"),
        ("$.a-b", 3..4, "expected the end, `.` or `[`, found `-`"),
        ("$.1", 2..3, "expected a name or `*`, found `1`"),
        ("$[]", 2..3, "expected a quoted name, an index, a slice, `*` or `?`, found `]`"),
        ("$[a]", 2..3, "expected a quoted name, an index, a slice, `*` or `?`, found `a`"),
        ("$[0 2]", 4..5, "expected `,` or `]`, found `2`"),
        ("$[01]", 2..4, "a number does not begin with `0`"),
        ("$[-0]", 2..4, "`-0` is no index"),
        ("$[9007199254740992]", 2..18, "the index is too large"),
        ("$[-9223372036854775808]", 2..22, "the index is too large"),
        ("$[:-9223372036854775808]", 3..23, "the index is too large"),
        ("$['a", 2..4, "the string has no closing `'`"),
        (r"$['\x']", 3..5, "no such escape in a string"),
        (r#"$['\"']"#, 3..5, "no such escape in a string"),
        (r"$['\uD800']", 3..9, "half of a surrogate pair"),
        (r"$['\uDC00\uD800']", 3..9, "half of a surrogate pair"),
        ("$['\t']", 3..4, "a control character in a string is written as an escape"),
        ("$[?count(@..*)]", 3..14, "the result of this function must be compared with something"),
        ("$[?length(@.a)]", 3..14, "the result of this function must be compared with something"),
        ("$[?value(@.a)]", 3..13, "the result of this function must be compared with something"),
        ("$[?length(@.*) == 1]", 10..13, "this query may select several nodes, where one value is needed"),
        ("$[?length(@[1,2]) == 1]", 10..16, "this query may select several nodes, where one value is needed"),
        ("$[?@.* == 1]", 3..6, "this query may select several nodes, where one value is needed"),
        ("$[?count(1) == 1]", 9..10, "this function takes a query"),
        ("$[?count(length(@)) == 1]", 9..18, "this function takes a query"),
        ("$[?match(@.a,'a')==true]", 3..17, "this function gives true or false, which is tested and not compared"),
        ("$[?match(@.a)]", 3..13, "`match` takes two arguments"),
        ("$[?length() == 1]", 3..11, "`length` takes one argument"),
        ("$[?length(@,@) == 1]", 3..14, "`length` takes fewer arguments"),
        ("$[?lenght(@) == 1]", 3..9, "unknown function `lenght`"),
        ("$[?count (@.*)==1]", 3..8, "`count` is no literal"),
        ("$[?true]", 3..7, "a literal must be compared with something"),
        ("$[?!@.a == 1]", 3..10, "`!` does not negate a comparison"),
        ("$[?@.a = 1]", 7..8, "expected `,` or `]`, found `=`"),
        ("$[?(@.a]", 7..8, "expected `)`, found `]`"),
        ("$[?@.a == 01]", 10..12, "a number does not begin with `0`"),
        ("$[?@.a == 1.]", 12..13, "expected a digit, found `]`"),
        ("$[?@.a == b]", 10..11, "`b` is no literal"),
        ("$[?match(@.a, 'a(')]", 14..18, "no regular expression: unclosed group"),
        ("$[?match(@.a, 'a)|(b')]", 14..21, "no regular expression: unopened group"),
    ] {
        let error = Selector::compile(selector).expect_err(selector);
        assert_eq!((error.range, error.message.as_str()), (range, message), "{selector}");
    }
    let help = |selector| Selector::compile(selector).unwrap_err().help.unwrap_or_default();
    assert_eq!(help("title"), "write `$.title`");
    assert_eq!(help("$[?lenght(@) == 1]"), "did you mean `length`?");
    assert_eq!(help("$[?!@.a == 1]"), "put the comparison in parentheses");
}

#[test]
fn paths_are_normalized_as_in_section_2_7() {
    let document = json(r#"{"a":[{"b'\\":1},{"\u000b\n":{"x":2}}]}"#);
    let paths: Vec<_> = Selector::compile("$..*")
        .unwrap()
        .all_with_paths(&document, &Budget::default())
        .unwrap()
        .into_iter()
        .map(|(path, _)| path)
        .collect();
    let expected = [
        "$['a']",
        "$['a'][0]",
        "$['a'][1]",
        r"$['a'][0]['b\'\\']",
        r"$['a'][1]['\u000b\n']",
        r"$['a'][1]['\u000b\n']['x']",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn hostile_selectors_and_documents_end() {
    for selector in [
        format!("$[?{}@{}]", "(".repeat(1000), ")".repeat(1000)),
        format!("${}@{}", "[?@".repeat(1000), "]".repeat(1000)),
        format!("$[?{}@{} == 1]", "length(".repeat(500), ")".repeat(500)),
        format!("$.{}", "a".repeat(5000)),
    ] {
        assert!(Selector::compile(&selector).is_err(), "{selector:.40}");
    }
    let deep = json(&format!("{}1{}", "[1,".repeat(110), "]".repeat(110)));
    for selector in ["$..*..*..*..*", "$..[?count(@..[?count(@..[?count(@..*) > 0]) > 0]) > 9]"] {
        assert!(Selector::compile(selector).unwrap().all(&deep, &Budget::default()).is_err(), "{selector}");
    }
    let patterns: Vec<_> = (0..3000).map(|number| format!("\"a{number}\"")).collect();
    let patterns = json(&format!("[{}]", patterns.join(",")));
    assert!(Selector::compile("$[?match('a', @)]").unwrap().all(&patterns, &Budget::default()).is_err());
}

/// What takes long for each node counts for more than one, or a few kilobytes of selector would hold a thread for minutes.
#[test]
fn work_counts_by_what_it_takes() {
    let long = "x".repeat(1_000_000);
    let many = "0,".repeat(10_000) + "0";
    let deep = format!("{}1{}", r#"{"a":"#.repeat(100), "}".repeat(100));
    let text =
        format!(r#"{{"x":"{long}","y":"{long}","o":{{"x":"{long}"}},"p":{{"x":"{long}"}},"n":[{many}],"d":{deep}}}"#);
    let document = json(&text);
    let steps = ".a".repeat(99);
    for condition in [
        "$.x == $.y".to_owned(),
        "$.x < $.y".to_owned(),
        "$.o == $.p".to_owned(),
        "length($.x) == 1".to_owned(),
        "match($.x, $.y)".to_owned(),
        vec!["1 == 2"; 400].join(" || "),
        vec![format!("$.d{steps}.a == 2"); 19].join(" || "),
    ] {
        let selector = Selector::compile(&format!("$.n[?{condition}]")).unwrap();
        assert_eq!(selector.all(&document, &Budget::default()), Err(TooMuchWork), "{condition:.40}");
    }
    // Once is no harm.
    for condition in ["$.x == $.y", "$.o == $.p", "length(@) == 1000000"] {
        let selector = Selector::compile(&format!("$[?{condition}]")).unwrap();
        assert!(selector.all(&document, &Budget::default()).is_ok(), "{condition}");
    }
}

#[test]
fn neither_long_nor_nested_queries_need_more_stack_than_a_thread_has() {
    let document = json(&format!("{}1{}", r#"{"a":"#.repeat(120), "}".repeat(120)));
    let steps = ".a".repeat(118);
    let nested = (0..DEEPEST / 2 - 1).fold(String::new(), |inner, _| format!("[?${steps}{inner}]"));
    let parentheses = format!("[?{}@{}]", "(".repeat(DEEPEST - 2), ")".repeat(DEEPEST - 2));
    let functions = format!("[?{}@{} == 1]", "length(".repeat(DEEPEST - 2), ")".repeat(DEEPEST - 2));
    let run = move || {
        for part in [nested, parentheses, functions] {
            let selector = format!("$..a{part}");
            let compiled = Selector::compile(&selector).unwrap_or_else(|error| panic!("{selector:.60}: {error}"));
            compiled.all_with_paths(&document, &Budget::default()).map(|found| found.len()).unwrap_or_default();
        }
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap();
}

#[test]
fn expressions_of_the_document_are_compiled_once_though_they_take_turns() {
    // Twenty thousand compilations would use up the budget ten times.
    let item = r#"{"a":"x1","b":"y"}"#;
    let document = json(&format!(r#"{{"p":"x.","q":"z","r":"[","items":[{}]}}"#, vec![item; 10_000].join(",")));
    for (selector, expected) in [
        ("$.items[?match(@.b, $.q) || match(@.a, $.p)]", 10_000),
        ("$.items[?search(@.a, $.p) && match(@.a, $.p) && !match(@.a, $.r)]", 10_000),
        ("$.items[?match(@.a, 'y.') || match(@.b, 'y')]", 10_000),
    ] {
        let found = Selector::compile(selector).unwrap().all(&document, &Budget::default()).map(|nodes| nodes.len());
        assert_eq!(found, Ok(expected), "{selector}");
    }
}

#[test]
fn paths_count_for_their_length() {
    let long = json(&format!(r#"{{"{}":[{}1]}}"#, "k".repeat(1_000_000), "1,".repeat(1000)));
    let selector = Selector::compile("$.*[*]").unwrap();
    assert_eq!(selector.all(&long, &Budget::default()).map(|nodes| nodes.len()), Ok(1001));
    assert_eq!(selector.all_with_paths(&long, &Budget::default()).map(|nodes| nodes.len()), Err(TooMuchWork));
}

/// The public compliance suite, whose licence lies beside it.
#[test]
fn the_compliance_suite() {
    let files = [
        include_str!("../../../tests/suites/jsonpath/cts.json"),
        include_str!("../../../tests/suites/jsonpath/newer.json"),
    ];
    let mut count = 0;
    for suite in files {
        let suite = parse_json(suite, JsonLimits { nodes: 1_000_000 }).unwrap();
        let cases = suite.get("tests").and_then(Value::as_list).unwrap();
        count += cases.len();
        cases.iter().for_each(complies);
    }
    assert_eq!(count, 703);
}

fn complies(case: &Value) {
    let text = case.get("selector").and_then(Value::as_str).unwrap();
    let compiled = Selector::compile(text);
    if case.get("invalid_selector").is_some() {
        assert!(compiled.is_err(), "{text}");
        return;
    }
    let selector = compiled.unwrap_or_else(|error| panic!("{text}: {error}"));
    let document = case.get("document").unwrap();
    let located = selector.all_with_paths(document, &Budget::default()).unwrap();
    let (paths, values): (Vec<_>, Vec<_>) =
        located.into_iter().map(|(path, value)| (Value::text(path), value.clone())).unzip();
    let all: Vec<Value> = selector.all(document, &Budget::default()).unwrap().into_iter().cloned().collect();
    assert_eq!(all, values, "{text}");
    assert_eq!(selector.first(document, &Budget::default()).unwrap(), all.first(), "{text}");
    let (paths, values) = (Value::list(paths), Value::list(values));
    let allowed = |one: &str, several: &str| match (case.get(one), case.get(several).and_then(Value::as_list)) {
        (Some(only), _) => vec![only],
        (None, list) => list.unwrap_or_default().iter().collect(),
    };
    let mut expected = allowed("result", "results").into_iter().zip(allowed("result_paths", "results_paths"));
    assert!(expected.any(|pair| pair == (&values, &paths)), "{text}: {} at {}", written(&values), written(&paths));
}

#[test]
fn the_first_node_is_found_without_the_others() {
    let many = json(&format!("[{}]", vec!["{\"a\":[1,2,3]}"; 10_000].join(",")));
    let squared = Selector::compile("$[?$[*].a[*] ].a").unwrap();
    assert_eq!(squared.first(&many, &Budget::default()).unwrap().map(written).as_deref(), Some("[1,2,3]"));
    assert_eq!(Selector::compile("$[0].b").unwrap().first(&many, &Budget::default()), Ok(None));
}

fn documents() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-3_i64..4).prop_map(Value::Int),
        prop_oneof![Just("a"), Just("b"), Just("ab")].prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::list),
            prop::collection::vec((prop_oneof![Just("a"), Just("b"), Just("c")], inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// Selectors of the kinds that the other implementation gets right.
fn selectors() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        ".a",
        ".b",
        "['c']",
        "[0]",
        "[-1]",
        "[*]",
        ".*",
        "..a",
        "..*",
        "[1:]",
        "[:-1]",
        "[::-1]",
        "[?@.a]",
        "[?@ > 0]",
        "[?@.a == @.b]",
        "[?@ == 'a' || @.c]",
        "[?!(@.a && @.b)]",
        "[?length(@) >= 1]",
        "[?count(@.*) == 2]",
        "[?match(@, 'a.?')]",
    ]);
    prop::collection::vec(part, 0..4).prop_map(|parts| format!("${}", parts.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn an_independent_implementation_selects_the_same(document in documents(), selector in selectors()) {
        let ours = Selector::compile(&selector).unwrap();
        let parsed = jsonpath_rust::parser::parse_json_path(&selector).unwrap();
        let theirs = jsonpath_rust::query::js_path_process(&parsed, &document).unwrap();
        let theirs: Vec<_> = theirs.into_iter().map(jsonpath_rust::query::QueryRef::val).collect();
        let all = ours.all(&document, &Budget::default()).unwrap();
        prop_assert_eq!(&all, &theirs, "{}", selector);
        prop_assert_eq!(ours.first(&document, &Budget::default()).unwrap(), all.first().copied());
        let located: Vec<_> = ours.all_with_paths(&document, &Budget::default()).unwrap();
        for (path, value) in located {
            prop_assert_eq!(Selector::compile(&path).unwrap().first(&document, &Budget::default()).unwrap(), Some(value));
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\$[\\[\\]().?@$*'\"!<>=&|, \\\\:0-9a-eu-]{0,40}|\\PC{0,20}") {
        if let Err(error) = Selector::compile(&text) {
            prop_assert!(text.get(error.range).is_some());
        }
    }
}
