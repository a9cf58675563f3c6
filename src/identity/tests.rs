//! Tokens, keys, passwords and cookies: the examples of the RFCs, every verdict, and what is changed by a letter.

use super::key::Believed;
use super::*;
use crate::value::Value;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaKeyPair,
};
use std::time::{Duration, SystemTime};

const ALL: [Algorithm; 4] = [Algorithm::Hs256, Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa];

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn rules(algorithms: &[Algorithm]) -> Rules {
    Rules {
        algorithms: algorithms.to_vec(),
        issuers: Vec::new(),
        audiences: Vec::new(),
        leeway: Duration::ZERO,
        max_age: None,
    }
}

fn own(text: &str, algorithms: &[Algorithm]) -> KeySet {
    KeySet::read(text, algorithms, Believed::Own).unwrap_or_else(|why| panic!("{why}: {text}"))
}

fn judge(token: &str, keys: &KeySet, rules: &Rules, now: u64) -> Result<Value, Refusal> {
    let verified = Token::read(token, rules)?.verify(keys, rules)?;
    verified.times.judge(at(now)).map(|()| verified.claims)
}

fn encoded(text: &str) -> String {
    base64url::encode(text.as_bytes())
}

/// A token with this header and these claims, signed like this.
fn token(header: &str, claims: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let signed = format!("{}.{}", encoded(header), encoded(claims));
    format!("{signed}.{}", base64url::encode(&sign(signed.as_bytes())))
}

const SECRET: &[u8] = b"a secret that is as long as a digest";

fn with_secret(secret: &[u8]) -> impl Fn(&[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    move |message| hmac::sign(&key, message).as_ref().to_vec()
}

/// A token of the shared secret.
fn hs256(claims: &str) -> String {
    token(r#"{"alg":"HS256"}"#, claims, with_secret(SECRET))
}

fn secret_keys() -> KeySet {
    KeySet::of_secret(std::str::from_utf8(SECRET).unwrap(), &ALL).unwrap()
}

// RFC 7515, appendix A.
const CLAIMS: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const A1: (&str, &str, &str) = (
    r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#,
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
);
const A2: (&str, &str, &str) = (
    r#"{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}"#,
    "eyJhbGciOiJSUzI1NiJ9",
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
);
const A3: (&str, &str, &str) = (
    r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
    "eyJhbGciOiJFUzI1NiJ9",
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
);

#[test]
fn the_examples_of_the_rfcs_are_verified() {
    for (key, header, signature) in [A1, A2, A3] {
        let keys = own(key, &ALL);
        let token = format!("{header}.{CLAIMS}.{signature}");
        let claims = judge(&token, &keys, &rules(&ALL), 1_300_819_379).unwrap();
        assert_eq!(claims.get("iss").and_then(Value::as_str), Some("joe"));
        assert_eq!(claims.get("http://example.com/is_root").and_then(Value::as_bool), Some(true));
        assert_eq!(judge(&token, &keys, &rules(&ALL), 1_300_819_380), Err(Refusal::Expired), "on or after its end");
    }
    // RFC 8037, appendix A.4: what is signed there is no JSON, which is looked at once the signature has turned out to be right.
    let keys = own(r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#, &ALL);
    let signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let right = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert_eq!(judge(&format!("{signed}.{right}"), &keys, &rules(&ALL), 0), Err(Refusal::Malformed));
    let wrong = right.replacen('h', "i", 1);
    assert_eq!(judge(&format!("{signed}.{wrong}"), &keys, &rules(&ALL), 0), Err(Refusal::Signature));
}

#[test]
fn a_token_that_is_changed_anywhere_is_refused() {
    for (key, header, signature) in [A1, A2, A3] {
        let keys = own(key, &ALL);
        let token = format!("{header}.{CLAIMS}.{signature}");
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(judge(&changed, &keys, &rules(&ALL), 0).is_err(), "{changed}");
        }
        for end in 0..token.len() {
            assert!(judge(&token[..end], &keys, &rules(&ALL), 0).is_err(), "cut at {end}");
        }
    }
}

#[test]
fn the_algorithm_is_that_of_the_site_and_of_the_key() {
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let signed = |message: &[u8]| {
        let mut signature = vec![0; rsa.public_modulus_len()];
        rsa.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
        signature
    };
    let pss = |message: &[u8]| {
        let mut signature = vec![0; rsa.public_modulus_len()];
        rsa.sign(&RSA_PSS_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
        signature
    };
    let der = rsa.public_key().as_ref();
    let pem = |label: &str| {
        use base64::Engine as _;
        let digits = base64::engine::general_purpose::STANDARD.encode(der);
        let lines: Vec<&str> = (0..digits.len()).step_by(64).map(|at| &digits[at..digits.len().min(at + 64)]).collect();
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
    };
    let pem = pem("RSA PUBLIC KEY");
    let keys = own(&pem, &[Algorithm::Rs256]);
    let claims = r#"{"exp":10,"name":"eve"}"#;
    let rs256 = [Algorithm::Rs256];
    let judge =
        |token: &str, keys: &KeySet, algorithms: &[Algorithm]| judge(token, keys, &rules(algorithms), 0).map(drop);
    assert_eq!(judge(&token(r#"{"alg":"RS256"}"#, claims, signed), &keys, &rs256), Ok(()));
    // The key is known to everybody: whoever takes it for a secret believes everybody.
    for public in [pem.as_bytes(), pem.trim().as_bytes(), der] {
        let forged = token(r#"{"alg":"HS256"}"#, claims, with_secret(public));
        assert_eq!(judge(&forged, &keys, &rs256), Err(Refusal::Algorithm));
        // Also where a site accepts both.
        let both = [Algorithm::Rs256, Algorithm::Hs256];
        assert_eq!(judge(&forged, &own(&pem, &both), &both), Err(Refusal::UnknownKey));
    }
    assert_eq!(KeySet::of_secret(&pem, &[Algorithm::Hs256]).unwrap_err(), KeyError::PublicAsSecret);
    for none in ["none", "None", "NONE", "nOnE", "", "HS256 ", "rs256"] {
        let unsigned = token(&format!(r#"{{"alg":"{none}"}}"#), claims, |_| Vec::new());
        assert_eq!(judge(&unsigned, &keys, &rs256), Err(Refusal::Algorithm), "{none}");
        let unsigned = unsigned.trim_end_matches('.');
        assert_eq!(judge(unsigned, &keys, &rs256), Err(Refusal::Malformed), "{none}");
    }
    // Another padding, another digest.
    assert_eq!(judge(&token(r#"{"alg":"PS256"}"#, claims, pss), &keys, &rs256), Err(Refusal::Algorithm));
    assert_eq!(judge(&token(r#"{"alg":"RS256"}"#, claims, pss), &keys, &rs256), Err(Refusal::Signature));
    let ps256 = [Algorithm::Ps256];
    assert_eq!(judge(&token(r#"{"alg":"PS256"}"#, claims, pss), &own(&pem, &ps256), &ps256), Ok(()));
    assert_eq!(judge(&token(r#"{"alg":"RS512"}"#, claims, signed), &keys, &rs256), Err(Refusal::Algorithm));
    // Keys that a token brings along are nobody's.
    let brought = token(
        r#"{"alg":"RS256","jwk":{"kty":"RSA"},"jku":"https://evil.example/","x5u":"https://evil.example/"}"#,
        claims,
        |_| vec![0; 256],
    );
    assert_eq!(judge(&brought, &keys, &rs256), Err(Refusal::Signature));
}

#[test]
fn keys_of_every_kind_are_read() {
    let ed25519 = Ed25519KeyPair::generate().unwrap();
    let point = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let (x, y) = point.public_key().as_ref()[1..].split_at(32);
    let set = format!(
        r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"ed","x":"{}"}},{{"kty":"EC","crv":"P-256","kid":"ec","use":"sig","alg":"ES256","x":"{}","y":"{}"}},{{"kty":"new"}},7]}}"#,
        base64url::encode(ed25519.public_key().as_ref()),
        base64url::encode(x),
        base64url::encode(y)
    );
    let keys = own(&set, &ALL);
    assert_eq!(keys.len(), 2);
    let ed = |message: &[u8]| ed25519.sign(message).as_ref().to_vec();
    let ec = |message: &[u8]| point.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec();
    let claims = r#"{"exp":10}"#;
    let judge = |token: &str| judge(token, &keys, &rules(&ALL), 0).map(drop);
    for (header, is_ed, expected) in [
        (r#"{"alg":"EdDSA","kid":"ed"}"#, true, Ok(())),
        (r#"{"alg":"ES256","kid":"ec"}"#, false, Ok(())),
        (r#"{"alg":"EdDSA"}"#, true, Ok(())),
        (r#"{"alg":"EdDSA","kid":"ec"}"#, true, Err(Refusal::UnknownKey)),
        (r#"{"alg":"EdDSA","kid":"ED"}"#, true, Err(Refusal::UnknownKey)),
        (r#"{"alg":"EdDSA","kid":"../../etc/passwd"}"#, true, Err(Refusal::UnknownKey)),
        (r#"{"alg":"ES256","kid":"ed"}"#, false, Err(Refusal::UnknownKey)),
        (r#"{"alg":"ES256","kid":"ec"}"#, true, Err(Refusal::Signature)),
        (r#"{"alg":"EdDSA","kid":7}"#, true, Err(Refusal::Malformed)),
        (r#"{"alg":"RS256","kid":"ed"}"#, true, Err(Refusal::UnknownKey)),
    ] {
        let made = if is_ed { token(header, claims, ed) } else { token(header, claims, ec) };
        assert_eq!(judge(&made), expected, "{header}");
    }
    // A signature in the other form of ECDSA, as certificates have it, is none here.
    let asn1 = token(r#"{"alg":"ES256"}"#, claims, |_| vec![0x30; 70]);
    assert_eq!(judge(&asn1), Err(Refusal::Signature));
    let nothing = token(r#"{"alg":"ES256"}"#, claims, |_| vec![0; 64]);
    assert_eq!(judge(&nothing), Err(Refusal::Signature), "all zeros (CVE-2022-21449)");
}

#[test]
fn keys_that_are_not_for_this_are_passed_over() {
    let rsa = A2.0.trim_end_matches('}');
    let short = r#"{"kty":"RSA","e":"AQAB","n":"7777777777777777777777777777777777777777777777777777"}"#;
    for (text, expected) in [
        (format!(r#"{rsa},"use":"sig","alg":"RS256","key_ops":["verify"]}}"#), Ok(1)),
        (format!(r#"{rsa},"use":"enc"}}"#), Err(KeyError::NoneFits)),
        (format!(r#"{rsa},"use":7}}"#), Err(KeyError::NoneFits)),
        (format!(r#"{rsa},"alg":"RS512"}}"#), Err(KeyError::NoneFits)),
        (format!(r#"{rsa},"key_ops":["encrypt"]}}"#), Err(KeyError::NoneFits)),
        (format!(r#"{rsa},"d":"AQAB"}}"#), Err(KeyError::Private)),
        (short.to_owned(), Err(KeyError::NoneFits)),
        (A3.0.replace("P-256", "P-384"), Err(KeyError::NoneFits)),
        // Not on the curve.
        (A3.0.replace("f83OJ3", "A83OJ3"), Err(KeyError::NoneFits)),
        (r#"{"kty":"oct","k":"c2hvcnQ"}"#.to_owned(), Err(KeyError::NoneFits)),
        (r#"{"keys":[]}"#.to_owned(), Err(KeyError::NoneFits)),
        (r#"{"keys":7}"#.to_owned(), Err(KeyError::Unreadable)),
        ("{}".to_owned(), Err(KeyError::Unreadable)),
        ("secret".to_owned(), Err(KeyError::Unreadable)),
        (format!(r#"{{"keys":[{}]}}"#, vec!["{}"; MOST_KEYS + 1].join(",")), Err(KeyError::TooMany)),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----".to_owned(), Err(KeyError::Private)),
        ("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----".to_owned(), Err(KeyError::Private)),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----".to_owned(), Err(KeyError::Certificate)),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----".to_owned(), Err(KeyError::NoneFits)),
    ] {
        assert_eq!(KeySet::read(&text, &ALL, Believed::Own).map(|keys| keys.len()), expected, "{text}");
    }
    // What anybody can fetch is no secret.
    assert_eq!(own(A1.0, &ALL).len(), 1);
    assert_eq!(KeySet::read(A1.0, &ALL, Believed::Fetched).unwrap_err(), KeyError::NoneFits);
}

#[test]
fn secrets_are_as_long_as_their_digests() {
    let of = |text: &str, algorithms: &[Algorithm]| KeySet::of_secret(text, algorithms).map(|keys| keys.len());
    let long = "x".repeat(48);
    let both = [Algorithm::Hs256, Algorithm::Hs384];
    assert_eq!(
        (of(&long, &both), of(&long[..47], &both), of(&long[..31], &both)),
        (Ok(2), Ok(1), Err(KeyError::ShortSecret))
    );
    assert_eq!(of(&long, &[Algorithm::Rs256]), Err(KeyError::NoneFits));
    assert_eq!(of(&format!("base64:{}", encoded(&long)), &both), Ok(2));
    assert_eq!(of("base64:c2hvcnQ=", &both), Err(KeyError::ShortSecret));
    assert_eq!(of("base64:***", &both), Err(KeyError::Unreadable));
    let printed = format!("{:?} {:?}", secret_keys(), own(A2.0, &ALL));
    assert!(!printed.contains("secret that") && !printed.contains("ofgW"), "{printed}");
}

#[test]
fn times_are_judged_with_the_leeway() {
    let keys = secret_keys();
    let strict = rules(&ALL);
    let lenient = Rules { leeway: Duration::from_secs(30), ..strict.clone() };
    let aging = Rules { max_age: Some(Duration::from_mins(1)), ..strict.clone() };
    for (claims, rules, now, expected) in [
        (r#"{"exp":1000}"#, &strict, 999, Ok(())),
        (r#"{"exp":1000}"#, &strict, 1000, Err(Refusal::Expired)),
        (r#"{"exp":1000}"#, &lenient, 1029, Ok(())),
        (r#"{"exp":1000}"#, &lenient, 1030, Err(Refusal::Expired)),
        (r#"{"exp":1000.5}"#, &strict, 1000, Ok(())),
        (r#"{"exp":18446744073709551615}"#, &strict, 1000, Ok(())),
        (r#"{"exp":-1}"#, &strict, 0, Err(Refusal::Expired)),
        (r#"{"exp":"1000"}"#, &strict, 0, Err(Refusal::Malformed)),
        (r#"{"exp":null}"#, &strict, 0, Err(Refusal::Malformed)),
        (r#"{"exp":1e999}"#, &strict, 0, Err(Refusal::Malformed)),
        ("{}", &strict, 0, Err(Refusal::Expired)),
        (r#"{"exp":1000,"nbf":500}"#, &strict, 499, Err(Refusal::NotYet)),
        (r#"{"exp":1000,"nbf":500}"#, &strict, 500, Ok(())),
        (r#"{"exp":1000,"nbf":500}"#, &lenient, 470, Ok(())),
        (r#"{"exp":1000,"nbf":500}"#, &lenient, 469, Err(Refusal::NotYet)),
        (r#"{"exp":1000,"iat":500}"#, &strict, 499, Err(Refusal::NotYet)),
        (r#"{"exp":1000,"iat":500,"nbf":600}"#, &strict, 550, Err(Refusal::NotYet)),
        (r#"{"exp":1000,"nbf":true}"#, &strict, 0, Err(Refusal::Malformed)),
        (r#"{"iat":500}"#, &aging, 559, Ok(())),
        (r#"{"iat":500}"#, &aging, 560, Err(Refusal::TooOld)),
        (r#"{"exp":530,"iat":500}"#, &aging, 530, Err(Refusal::Expired)),
        (r#"{"exp":1000}"#, &aging, 500, Err(Refusal::TooOld)),
    ] {
        assert_eq!(judge(&hs256(claims), &keys, rules, now).map(drop), expected, "{claims} at {now}");
    }
}

#[test]
fn issuer_and_audience_are_one_of_those_that_are_named() {
    let keys = secret_keys();
    let named = Rules {
        issuers: vec!["https://id.example".into(), "other".into()],
        audiences: vec!["shop".into()],
        ..rules(&ALL)
    };
    for (claims, expected) in [
        (r#""iss":"https://id.example","aud":"shop""#, Ok(())),
        (r#""iss":"other","aud":["blog","shop"]"#, Ok(())),
        (r#""iss":"https://id.example/","aud":"shop""#, Err(Refusal::Issuer)),
        (r#""aud":"shop""#, Err(Refusal::Issuer)),
        (r#""iss":["other"],"aud":"shop""#, Err(Refusal::Issuer)),
        (r#""iss":null,"aud":"shop""#, Err(Refusal::Issuer)),
        (r#""iss":"other","aud":"Shop""#, Err(Refusal::Audience)),
        (r#""iss":"other""#, Err(Refusal::Audience)),
        (r#""iss":"other","aud":[]"#, Err(Refusal::Audience)),
        (r#""iss":"other","aud":["blog"]"#, Err(Refusal::Audience)),
        (r#""iss":"other","aud":{"shop":true}"#, Err(Refusal::Audience)),
    ] {
        let token = hs256(&format!(r#"{{"exp":10,{claims}}}"#));
        assert_eq!(judge(&token, &keys, &named, 0).map(drop), expected, "{claims}");
        assert!(judge(&token, &keys, &rules(&ALL), 0).is_ok(), "nothing is named: {claims}");
    }
}

#[test]
fn what_is_no_token_is_told_at_once() {
    let sound = rules(&ALL);
    let read = |text: &str| Token::read(text, &sound).map(drop);
    let header = |header: &str| read(&format!("{}.e30.AAAA", encoded(header)));
    assert_eq!(header(r#"{"alg":"HS256"}"#), Ok(()));
    for text in
        ["", ".", "..", "...", "a.b.c", "a", "Bearer x", "e30.e30.", "e30.e30.e30", "e30.e30", "\u{e9}.\u{e9}.\u{e9}"]
    {
        assert_eq!(read(text), Err(Refusal::Malformed), "{text}");
    }
    for odd in ["[]", "null", "7", r#"{"alg":7}"#, r#"{"alg":null}"#, "{", r#"{"alg":"HS256"}x"#, "\u{1}"] {
        assert_eq!(header(odd), Err(Refusal::Malformed), "{odd}");
    }
    for critical in [r#"["b64"]"#, r#"["exp"]"#, "[]", "null", r#""exp""#] {
        assert_eq!(
            header(&format!(r#"{{"alg":"HS256","b64":false,"crit":{critical}}}"#)),
            Err(Refusal::Critical),
            "{critical}"
        );
    }
    // Five parts are an encrypted token.
    assert_eq!(read(&format!("{}.a.b.c.d", encoded(r#"{"alg":"HS256"}"#))), Err(Refusal::Malformed));
    let long = format!("{}.{}.AAAA", encoded(r#"{"alg":"HS256"}"#), "A".repeat(LONGEST_TOKEN));
    assert_eq!(read(&long), Err(Refusal::TooLong));
    let many = format!(r#"{{"alg":"HS256","x":[{}]}}"#, vec!["0"; 1_000].join(","));
    assert_eq!(header(&many), Err(Refusal::Malformed), "more than a header needs");
    // What is signed all the same: claims that are none, or too many.
    for claims in ["[]", "7", "", "{", r#"{"exp":1}{"#] {
        assert_eq!(judge(&hs256(claims), &secret_keys(), &sound, 0), Err(Refusal::Malformed), "{claims}");
    }
    let many = format!(r#"{{"exp":10,"x":[{}]}}"#, vec!["0"; 1_000].join(","));
    assert_eq!(judge(&hs256(&many), &secret_keys(), &sound, 0), Err(Refusal::Malformed));
}

// RFC 9106 has no text form; this is `argon2` with the costs below, for the password `open sesame`.
const HASH: &str = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$";

fn hash_of(password: &[u8]) -> String {
    use base64::Engine as _;
    let params = argon2::Params::new(64, 1, 1, Some(32)).unwrap();
    let mut digest = [0; 32];
    argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
        .hash_password_into(password, b"somesalt", &mut digest)
        .unwrap();
    format!("{HASH}{}", base64::engine::general_purpose::STANDARD_NO_PAD.encode(digest))
}

#[test]
fn passwords_fit_their_hashes() {
    let text = hash_of(b"open sesame");
    let hash = PasswordHash::parse(&text).unwrap();
    assert!(hash.verify(b"open sesame") && !hash.verify(b"open sesame ") && !hash.verify(b"") && hash.text() == text);
    // The test vector of the reference implementation for the first version, which does not name itself.
    let first = "$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY";
    assert!(PasswordHash::parse(first).unwrap().verify(b"password"));
    let second = "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8";
    assert!(PasswordHash::parse(second).unwrap().verify(b"password"));
    let id = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    assert!(PasswordHash::parse(id).unwrap().verify(b"password"));
    assert!(!format!("{hash:?}").contains("c29t"));
}

#[test]
fn what_is_no_hash_or_costs_too_much_is_refused() {
    let digest = "/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY";
    for (text, expected) in [
        ("open sesame".to_owned(), HashError::NotArgon2),
        (String::new(), HashError::NotArgon2),
        ("$2b$12$abcdefghijklmnopqrstuv".to_owned(), HashError::NotArgon2),
        ("$argon2x$v=19$m=64,t=1,p=1$c29tZXNhbHQ$".to_owned(), HashError::NotArgon2),
        (HASH.to_owned(), HashError::Malformed),
        (format!("$argon2id$v=18$m=64,t=1,p=1$c29tZXNhbHQ${digest}"), HashError::Malformed),
        (format!("$argon2id$v=19$m=64,t=1$c29tZXNhbHQ${digest}"), HashError::Malformed),
        (format!("$argon2id$v=19$m=64,t=1,p=1,m=64$c29tZXNhbHQ${digest}"), HashError::Malformed),
        (format!("$argon2id$v=19$m=64,t=1,p=1$c2Fs${digest}"), HashError::Malformed),
        (format!("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ${digest}$"), HashError::Malformed),
        (format!("$argon2id$v=19$m=1,t=1,p=1$c29tZXNhbHQ${digest}"), HashError::Malformed),
        (format!("$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ${digest}"), HashError::TooCostly),
        (format!("$argon2id$v=19$m=262144,t=5,p=1$c29tZXNhbHQ${digest}"), HashError::TooCostly),
        (format!("$argon2id$v=19$m=64,t=4294967295,p=1$c29tZXNhbHQ${digest}"), HashError::TooCostly),
    ] {
        assert_eq!(PasswordHash::parse(&text).map(drop), Err(expected), "{text}");
    }
}

#[test]
fn somebody_who_is_not_there_costs_as_much() {
    let cheap = PasswordHash::parse(&hash_of(b"a")).unwrap();
    let costly = PasswordHash::parse(&hash_of(b"b").replace("m=64", "m=128")).unwrap();
    let users = Users::new([("a".into(), cheap.clone(), Value::Null), ("b".into(), costly.clone(), Value::from("b"))]);
    assert_eq!((users.hash("a"), users.hash("b"), users.hash("c")), (Some(&cheap), Some(&costly), Some(&costly)));
    assert_eq!((users.claims("b"), users.claims("c"), users.len()), (Some(&Value::from("b")), None, 2));
    assert!(Users::default().hash("a").is_none() && Users::default().is_empty());
}

const KEYS: [&[u8]; 3] = [
    b"the first key, of 32 bytes or more",
    b"another key, of 32 bytes or more!",
    b"one more, of 32 bytes, or of more!",
];

fn cookie_keys(which: &[usize]) -> CookieKeys {
    CookieKeys::new(which.iter().map(|at| KEYS[*at])).unwrap()
}

#[test]
fn cookies_come_back_as_they_were_made() {
    let keys = cookie_keys(&[0]);
    for seal in [Seal::Signed, Seal::Sealed] {
        for value in ["", "dark", "a; b=\"c\" \u{e9}\u{1f36a}\r\n", &"x".repeat(2_000)] {
            let text = keys.make(seal, "theme", value, Some(at(100))).unwrap();
            assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)), "{text}");
            assert_eq!(keys.open(seal, "theme", &text, at(99)).as_deref(), Some(value));
            assert_eq!(keys.open(seal, "theme", &text, at(100)), None, "its end has come");
            let endless = keys.make(seal, "theme", value, None).unwrap();
            assert_eq!(keys.open(seal, "theme", &endless, at(u64::from(u32::MAX) * 2)).as_deref(), Some(value));
        }
        assert_eq!(keys.make(seal, "theme", &"x".repeat(4_000), None), None, "longer than browsers keep");
    }
    let sealed = || keys.make(Seal::Sealed, "a", "a value that nobody may read", None).unwrap();
    assert_ne!(sealed(), sealed(), "two of the same value cannot be told to be that");
    assert_eq!(keys.make(Seal::Signed, "a", "b", None), keys.make(Seal::Signed, "a", "b", None));
    assert!(!format!("{keys:?}").contains("first"));
}

#[test]
fn cookies_that_are_changed_cut_or_swapped_are_nothing() {
    let keys = cookie_keys(&[0]);
    for seal in [Seal::Signed, Seal::Sealed] {
        let text = keys.make(seal, "role", "admin", Some(at(100))).unwrap();
        let open = |name: &str, text: &str| keys.open(seal, name, text, at(0));
        assert!(open("role", &text).is_some());
        for position in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[position] = if changed[position] == b'A' { b'B' } else { b'A' };
            assert_eq!(open("role", &String::from_utf8(changed).unwrap()), None, "{position} of {text}");
            assert_eq!(open("role", &text[..position]), None, "cut at {position}");
            assert_eq!(open("role", &text[position + 1..]), None);
        }
        for name in ["Role", "rol", "role2", "", "__Host-role"] {
            assert_eq!(open(name, &text), None, "{name}");
        }
        for odd in
            [format!("{text}A"), format!("{text}."), format!(" {text}"), text.replace("v1.", "v2."), format!("{text}=")]
        {
            assert_eq!(open("role", &odd), None, "{odd}");
        }
        let other = match seal {
            Seal::Signed => Seal::Sealed,
            Seal::Sealed => Seal::Signed,
        };
        assert_eq!(keys.open(other, "role", &text, at(0)), None, "one way does not stand for the other");
        assert_eq!(open("role", &format!("v1.{}", "A".repeat(5_000))), None);
        // The value of one with the proof of another.
        if seal == Seal::Signed {
            let user = keys.make(seal, "role", "user", Some(at(100))).unwrap();
            let proof = user.rsplit_once('.').unwrap().1;
            let value = text.rsplit_once('.').unwrap().0;
            assert_eq!(open("role", &format!("{value}.{proof}")), None);
        }
        // Where a name ends and a value begins cannot be moved.
        let shifted = keys.make(seal, "rolea", "dmin", Some(at(100))).unwrap();
        assert_eq!(open("role", &shifted), None);
    }
}

#[test]
fn keys_of_cookies_rotate() {
    for seal in [Seal::Signed, Seal::Sealed] {
        let old = cookie_keys(&[0]).make(seal, "a", "b", None).unwrap();
        let rotated = cookie_keys(&[1, 0]);
        assert_eq!(rotated.open(seal, "a", &old, at(0)).as_deref(), Some("b"), "an old one still opens");
        let new = rotated.make(seal, "a", "b", None).unwrap();
        assert_eq!(cookie_keys(&[0]).open(seal, "a", &new, at(0)), None, "the first key makes");
        assert_eq!(cookie_keys(&[1]).open(seal, "a", &new, at(0)).as_deref(), Some("b"));
        assert_eq!(cookie_keys(&[2, 1]).open(seal, "a", &old, at(0)), None, "whose key is gone is nothing");
    }
    assert!(CookieKeys::new([]).is_none() && CookieKeys::new([&b"short"[..]]).is_none());
    assert!(CookieKeys::new([KEYS[0], b"short"]).is_none());
}
