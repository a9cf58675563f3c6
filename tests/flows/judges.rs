//! What programs that are not ours say of the OpenAPI that is derived from a site: a validator, of the description; and a fuzzer, of the running
//! site, which has to answer as it is described. `script/test` installs both, and says in `API_JUDGES` where.

use crate::support::accounts::{Example, FORM, SAME_ORIGIN};
use crate::support::proof;
use crate::support::site::{Folder, binary};
use crate::support::tools;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

crate::cases!(descriptions_are_valid, the_account_answers_as_it_is_described, the_shop_answers_as_it_is_described);

/// What the fuzzer holds of every answer. It is not asked whether all that fits is taken, and all else refused: a backend knows more than a
/// description can say, and a site may declare that it puts up with values that do not fit.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
    response_schema_conformance,unsupported_method,allow_header_conformance,missing_required_header,use_after_free";

/// That a credential is needed where one is described, and that not any will do. It puts another in the place of ours, which it has to find:
/// of several ways to say who one is, it leaves the others as they are.
const IGNORED: &str = "ignored_auth";

/// One of the programs.
fn judge(name: &str) -> Option<PathBuf> {
    let judges = std::env::var_os("API_JUDGES").map(PathBuf::from);
    if judges.is_none() {
        tools::is_missing("openapi-spec-validator and schemathesis, in the folder that API_JUDGES says");
    }
    Some(judges?.join(name))
}

/// The description of a site, in a file.
fn description(site: &Path, folder: &Folder) -> PathBuf {
    let told = binary().args(["schema", "--openapi", "--config"]).arg(site).output().expect("the binary");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    folder.write("openapi.json", &String::from_utf8(told.stdout).expect("UTF-8"));
    folder.path().join("openapi.json")
}

fn descriptions_are_valid() {
    let Some(validator) = judge("openapi-spec-validator") else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let is_valid = |file: &Path| {
        let told = Command::new(&validator).arg(file).output().expect("the validator");
        told.status.success().then_some(()).ok_or(told.stdout)
    };
    for site in ["site.toml", "examples/account/site.toml", "examples/shop/site.toml", "examples/upstream/site.toml"] {
        let folder = Folder::new();
        let file = description(&root.join(site), &folder);
        if let Err(why) = is_valid(&file) {
            panic!("{site}: {}", String::from_utf8_lossy(&why));
        }
        // It would notice.
        let text = std::fs::read_to_string(&file).expect("text");
        folder.write("broken.json", &text.replace("\"responses\"", "\"response\""));
        assert!(is_valid(&folder.path().join("broken.json")).is_err(), "{site}");
    }
}

/// Fuzzes an example, with these fields in each request, and with more arguments.
fn fuzz(name: &str, example: &Example, fields: &[(&str, &str)], more: &[&str]) {
    let Some(fuzzer) = judge("schemathesis") else { return };
    let folder = Folder::new();
    let file = description(&example.site.folder().path().join("site.toml"), &folder);
    let most = proof::scaled(500, 15).to_string();
    let mut run = Command::new(fuzzer);
    run.arg("run").arg(file).args(["--url", &format!("http://{}", example.site.address())]);
    run.args(["--max-examples", &most, "--seed", "8", "--no-color", "--continue-on-failure"]);
    // How long it takes says something of the machine.
    run.args(["--suppress-health-check", "all", "--request-timeout", "60"]);
    let more = if more.contains(&"--checks") { more.to_vec() } else { [more, &["--checks", CHECKS]].concat() };
    run.args(more);
    for (name, value) in fields {
        run.args(["-H", &format!("{name}: {value}")]);
    }
    let told = run.current_dir(folder.path()).stdin(Stdio::null()).output().expect("the fuzzer");
    let text = String::from_utf8_lossy(&told.stdout);
    assert!(told.status.success(), "{name} with {fields:?}:\n{text}{}", String::from_utf8_lossy(&told.stderr));
    let tried =
        text.lines().find(|line| line.contains(" generated, ")).unwrap_or_else(|| panic!("nothing was tried: {text}"));
    println!("{name}: {}", tried.trim());
}

fn the_account_answers_as_it_is_described() {
    // Whoever comes too often learns nothing more.
    let start = || Example::start_edited("account", &[("routes/login.toml", "= 20,", "= 1000000,")]);
    if proof::is_full() {
        fuzz("nobody, who says nothing", &start(), &[], &[]);
    }
    fuzz("nobody", &start(), &[SAME_ORIGIN], &["--checks", &format!("{CHECKS},{IGNORED}")]);
    let example = start();
    let session = example.accounts.sign_in("root");
    fuzz("a session", &example, &[SAME_ORIGIN, ("cookie", &session)], &[]);
    let example = start();
    let answer = example.accounts.request("POST", "/token", &[FORM], "name=alice&password=alice-secret").json();
    let token = format!("Bearer {}", answer["access_token"].as_str().expect("a token"));
    fuzz("a token", &example, &[("authorization", &token)], &["--include-path-regex", r"^/api/|\.json$"]);
}

fn the_shop_answers_as_it_is_described() {
    fuzz("the shop", &Example::start("shop"), &[SAME_ORIGIN], &[]);
}
