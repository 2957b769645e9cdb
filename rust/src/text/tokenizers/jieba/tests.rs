//! The expected tokens are those of Python's `jieba.lcut` (jieba 0.42.1), also after `jieba.load_userdict`.

use super::{Jieba, Scratch};
use crate::error::Error;

fn cut_with(user_dict: Option<&str>, text: &str) -> Vec<String> {
    let mut tokens = vec![];
    Jieba::new(user_dict).expect("a good dictionary").cut(text.chars(), &mut Scratch::default(), &mut tokens);
    tokens
}

fn cut(text: &str) -> Vec<String> {
    cut_with(None, text)
}

fn assert_all(cases: &[(&str, &[&str])]) {
    for (text, tokens) in cases {
        assert_eq!(cut(text), *tokens);
    }
}

#[test]
fn chinese_words() {
    assert_all(&[
        ("", &[]),
        ("新款欧美风印花真丝连衣裙女夏", &["新款", "欧美", "风", "印花", "真丝", "连衣裙", "女夏"]),
        ("乒乓球拍卖完了", &["乒乓球", "拍卖", "完", "了"]),
        ("结婚的和尚未结婚的", &["结婚", "的", "和", "尚未", "结婚", "的"]),
        ("永和服装饰品有限公司", &["永和", "服装", "饰品", "有限公司"]),
        (
            "小明硕士毕业于中国科学院计算所，后在日本京都大学深造",
            &["小明", "硕士", "毕业", "于", "中国科学院", "计算所", "，", "后", "在", "日本京都大学", "深造"],
        ),
    ]);
}

#[test]
fn words_found_by_the_model() {
    assert_all(&[
        ("他来到了网易杭研大厦", &["他", "来到", "了", "网易", "杭研", "大厦"]),
        ("这件羽绒服真的很仙气减龄", &["这件", "羽绒服", "真的", "很", "仙气", "减龄"]),
        // Characters without emissions, where sums tie.
        ("丨卄囗凵", &["丨", "卄", "囗", "凵"]),
        ("龥龦鼹", &["龥", "龦", "鼹"]),
    ]);
}

#[test]
fn letters_digits_and_signs() {
    assert_all(&[
        ("比分79-81，5-0", &["比分", "79", "-", "81", "，", "5", "-", "0"]),
        ("T-shirt", &["T", "-", "shirt"]),
        ("WES-5.4.5", &["WES", "-", "5.4", ".", "5"]),
        ("iPhone-12", &["iPhone", "-", "12"]),
        ("涨1.5%", &["涨", "1.5%"]),
        ("v2.0.1", &["v2.0", ".", "1"]),
        ("AT&T和c++", &["AT&T", "和", "c++"]),
        ("1_2+3#4", &["1", "_", "2", "+", "3", "#", "4"]),
        ("4K 10kg 3.14元", &["4K", " ", "10kg", " ", "3.14", "元"]),
        ("%.5%a.b1.%", &["%.", "5%", "a", ".", "b1", ".%"]),
        ("--", &["--"]),
    ]);
}

#[test]
fn characters_outside_all_blocks() {
    assert_all(&[
        ("㐀㐁鿖鿗", &["㐀", "㐁", "鿖", "鿗"]),
        ("ＡＢ１２．５", &["Ａ", "Ｂ", "１", "２", "．", "５"]),
        ("好👍🏻棒", &["好", "👍", "🏻", "棒"]),
        ("😀𠀀中国", &["😀", "𠀀", "中国"]),
        // A word of the dictionary that is never found: its first character is outside all blocks.
        ("γ射线", &["γ", "射线"]),
        ("a\u{3000}b\r\nc\n\rd", &["a", "\u{3000}", "b", "\r\n", "c", "\n", "\r", "d"]),
    ]);
}

#[test]
fn buffers_are_reused_for_long_and_short_texts() {
    let jieba = Jieba::new(None).expect("no dictionary");
    let mut scratch = Scratch::default();
    for text in ["小明硕士毕业于中国科学院", "兔角龟毛", "", "中", "鬼怕恶人", "小明硕士毕业于中国科学院"]
    {
        let mut tokens: Vec<String> = vec![];
        jieba.cut(text.chars(), &mut scratch, &mut tokens);
        assert_eq!(tokens, cut(text));
    }
}

#[test]
fn long_texts_take_linear_time() {
    assert_eq!(cut(&"中国".repeat(50_000)), vec!["中国"; 50_000]);
    assert_eq!(cut(&"龦".repeat(100_000)), vec!["龦"; 100_000]);
    assert_eq!(cut(&"a".repeat(100_000)).len(), 1);
    assert_eq!(cut(&"a-".repeat(50_000)).len(), 100_000);
    assert_eq!(cut(&"\r\n".repeat(50_000)).len(), 50_000);
}

#[test]
fn user_words_are_tokens_and_their_prefixes_are_not() {
    let dict = "云计算 5\n李小福 2 nr\n创新办 3 i\neasy_install 3 eng\n好用 300\n八一双鹿 3 nz\n台中\n凱特琳 nz\nEdu Trust认证 2000";
    let cut = |text| cut_with(Some(dict), text).join("/");
    assert_eq!(
        cut("李小福是创新办主任也是云计算方面的专家; 什么是八一双鹿"),
        "李小福/是/创新办/主任/也/是/云计算/方面/的/专家/;/ /什么/是/八一双鹿"
    );
    assert_eq!(cut("easy_install is Edu Trust认证"), "easy_install/ /is/ /Edu/ /Trust/认证");
    assert_eq!(cut("「台中」正確應該不會被切開"), "「/台中/」/正確/應該/不會/被/切開");
}

#[test]
fn user_words_without_frequency_become_tokens() {
    let cut = |dict, text| cut_with(Some(dict), text).join("/");
    assert_eq!(cut("仙气减龄", "这件羽绒服真的很仙气减龄"), "这件/羽绒服/真的/很/仙气减龄");
    assert_eq!(cut("一字肩 n", "露背一字肩上衣"), "露背/一字肩/上衣");
    assert_eq!(cut("江南大桥\n南京市", "南京市长江大桥"), "南京市/长江大桥");
    assert_eq!(cut("abcd\nabc", "xabcd1 abc"), "x/abcd/1/ /abc");
    assert_eq!(cut("\u{feff}冰丝阔腿 10\r\n\r\n  \t\n", "冰丝阔腿裤"), "冰丝阔腿/裤");
}

#[test]
fn frequency_zero_splits() {
    let cut = |dict, text| cut_with(Some(dict), text).join("/");
    assert_eq!(cut("连衣裙 0", "红色连衣裙"), "红色/连/衣裙");
    assert_eq!(cut("连衣裙 0", "连衣裙女"), "连/衣裙/女");
    // Known to the model only.
    assert_eq!(cut("杭研 0", "他来到了网易杭研大厦"), "他/来到/了/网易/杭/研/大厦");
    assert_eq!(cut("小红书 100\n小红书 0", "在小红书看到"), "在/小/红/书/看到");
}

#[test]
fn user_words_with_characters_outside_blocks_are_not_found() {
    assert_eq!(cut_with(Some("𠀀中国 10000"), "😀𠀀中国"), ["😀", "𠀀", "中国"]);
    assert_eq!(cut_with(Some(""), "连衣裙"), ["连衣裙"]);
}

#[test]
fn too_large_frequencies_are_errors_with_their_line() {
    let problem = |dict| match Jieba::new(Some(dict)) {
        Err(Error::Invalid { parameter: "user_dict", problem }) => problem,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        problem("裙 3\n\n中国 99999999999999999999999999 n"),
        "line 3: frequencies (with those of jieba's dictionary) sum to more than 9007199254740992"
    );
    assert!(problem("中国 9007199254740992").starts_with("line 1: "));
    assert!(problem("裙 9007199190000000\n裙\n").starts_with("line 2: "));
    assert!(Jieba::new(Some("裙 9007199190000000")).is_ok());
}
