//! What is found, and in which order.

use super::*;
use proptest::prelude::*;

fn page(title: &str, said: &[&str], html: &str) -> Page {
    Page {
        title: title.to_owned(),
        said: said.iter().map(|said| (*said).to_owned()).collect(),
        passages: passages(html),
    }
}

/// The pages that are found, by position, each with the anchor of its passage.
fn found(index: &Index, typed: &str) -> Vec<String> {
    let hits = index.find(&Query::parse(typed));
    hits.iter()
        .map(|hit| format!("{}{}", hit.page, index.anchor(*hit).map(|it| format!("#{it}")).unwrap_or_default()))
        .collect()
}

#[test]
fn where_a_word_stands_decides_first() {
    let often = "<p>anvil anvil anvil</p>".repeat(20);
    let index = Index::new(&[
        page("Code", &[], "<pre><code>anvil</code></pre>"),
        page("Text", &[], &often),
        page("Said", &["The anvil"], ""),
        page("Heading", &[], "<h2 id=\"a\">Anvils</h2><h2 id=\"b\">The anvil</h2>"),
        page("Anvil and other things", &[], ""),
        page("Anvil", &[], ""),
        page("Other", &["Hammer"], "<p>tongs</p>"),
    ]);
    assert_eq!(found(&index, "anvil "), ["5", "4", "3#b", "2", "1", "0"]);
    assert_eq!(found(&index, "anvil")[..3], ["5", "4", "3#b"], "a word itself before those that begin with it");
    assert_eq!(found(&index, "Anvils"), ["3#a"]);
}

#[test]
fn all_words_must_be_there_and_the_best_passage_is_named() {
    let index = Index::new(&[
        page(
            "Lists",
            &[],
            "<h1>Lists</h1><p>Sort</p><h2 id=\"count\">Count</h2><p>limit and page</p><h2 id=\"x\">X</h2><p>page</p>",
        ),
        page("Caching", &["lists"], "<p>page</p><h2 id=\"limits\">Limits</h2><p>size</p>"),
    ]);
    for (typed, expected) in [
        ("lists", &["0", "1"][..]),
        ("lists limit", &["0#count", "1#limits"]),
        ("limit page", &["0#count"]),
        ("lists count", &["0#count"]),
        ("count lists sort", &["0#count"]),
        ("lists nothing", &[]),
        ("nothing", &[]),
        ("", &[]),
        ("limi", &["1#limits", "0#count"]),
        ("limi ", &[]),
    ] {
        assert_eq!(found(&index, typed), expected, "{typed}");
    }
}

#[test]
fn words_in_quotes_follow_each_other() {
    let index = Index::new(&[
        page("A", &[], "<p>stale while revalidate</p>"),
        page("B", &[], "<p>while it is stale</p>"),
        page("C", &[], "<p>stale</p><p>while</p>"),
        page("D", &[], "<p>on-error is stale-while</p>"),
    ]);
    for (typed, expected) in [
        ("stale while", &["2", "0", "1", "3"][..]),
        ("\"stale while\"", &["0", "3"]),
        ("stale-while", &["0", "3"]),
        ("\"stale whi", &["0", "3"]),
        ("\"while stale\"", &[]),
        ("on-err", &["3"]),
        ("error-on", &[]),
    ] {
        let mut found = found(&index, typed);
        let mut expected: Vec<String> = expected.iter().map(|it| (*it).to_owned()).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{typed}");
    }
}

#[test]
fn spellings_and_scripts() {
    let index = Index::new(&[
        page("Größe", &[], "<p>Übergröße und Straßen</p>"),
        page("Été", &[], "<p>L’élève écrit à l’école</p>"),
        page("日本語の検索", &[], "<p>東京都は大きい。</p>"),
        page("검색", &[], "<p>설정을 바꾼다</p>"),
    ]);
    for (typed, expected) in [
        ("grosse", "0"),
        ("GROESSE", "0"),
        ("ubergro", "0"),
        ("uebergroesse", "0"),
        ("strassen", "0"),
        ("ete", "1"),
        ("l'eleve", "1"),
        ("ÉCOLE", "1"),
        ("検索", "2"),
        ("索", "2"),
        ("東京", "2"),
        ("京都", "2"),
        ("都", "2"),
        ("설정", "3"),
    ] {
        assert_eq!(found(&index, typed), [expected], "{typed}");
    }
    assert_eq!(found(&index, "京大"), [] as [&str; 0]);
}

#[test]
fn what_is_found_is_bounded() {
    let pages: Vec<Page> =
        (0..MOST_FOUND + 50).map(|number| page(&format!("word{number}"), &[], "<p>word</p>")).collect();
    let index = Index::new(&pages);
    let hits = index.find(&Query::parse("wo"));
    assert_eq!(hits.len(), MOST_FOUND);
    assert!(index.find(&Query::default()).is_empty());
    assert!(Index::default().find(&Query::parse("x")).is_empty());
    assert_eq!(
        (index.page_count(), index.passage_count(), index.term_count()),
        (pages.len(), pages.len(), pages.len() + 1)
    );
    assert!(index.bytes() > 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A search finds what looking through everything finds.
    #[test]
    fn nothing_is_missed_and_nothing_made_up(
        texts in prop::collection::vec(prop::collection::vec("[abc]{1,3}", 0..9), 1..9),
        words in prop::collection::vec("[abc]{1,3}", 1..4),
        is_quoted: bool,
    ) {
        let pages: Vec<Page> = texts.iter().map(|words| page("t", &[], &format!("<p>{}</p>", words.join(" ")))).collect();
        let index = Index::new(&pages);
        let typed = if is_quoted { format!("\"{}\"", words.join(" ")) } else { format!("{} ", words.join(" ")) };
        let mut hits: Vec<usize> = index.find(&Query::parse(&typed)).iter().map(|hit| hit.page).collect();
        hits.sort_unstable();
        let has = |text: &Vec<String>| {
            if is_quoted {
                text.windows(words.len()).any(|window| window == words)
            } else {
                words.iter().all(|word| text.contains(word))
            }
        };
        let expected: Vec<usize> = texts.iter().enumerate().filter(|(_, text)| has(text)).map(|(at, _)| at).collect();
        prop_assert_eq!(hits, expected);
    }

    #[test]
    fn any_search_of_any_pages_ends_in_passages_that_are_there(
        htmls in prop::collection::vec("(<h2 id=\"[ab]\">|</h2>|<pre>|</pre>|[a-cé日本 \n]{1,6}|<p>){0,30}", 0..6),
        typed in "[a-cé日本 \"-]{0,20}",
    ) {
        let pages: Vec<Page> = htmls.iter().map(|html| page("a b", &["c"], html)).collect();
        let index = Index::new(&pages);
        let query = Query::parse(&typed);
        let hits = index.find(&query);
        prop_assert_eq!(&hits, &index.find(&query));
        let mut budget = Budget::default();
        for hit in hits {
            prop_assert!(hit.page < pages.len() && hit.passage < index.passage_count());
            let _ = (index.anchor(hit), index.heading(hit), index.excerpt(hit, &query, &mut budget));
        }
    }
}
