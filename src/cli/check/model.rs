//! The model: does it compute as released, what may the office do with it, and how many cameras
//! does this machine hold?

use super::super::licence_words;
use super::{Common, Finding, capacity};
use crate::app;
use crate::clock::Clock;
use crate::county::{self, Registers};
use crate::detect::{Detector, Goldens};
use crate::error::Result;
use crate::frame::{Eye, Licence};
use crate::lang::Lang;

const PART: &str = "model";

pub(super) fn model(common: &Common) -> Vec<Finding> {
    let lang = common.lang;
    let cure = lang.pick(
        "make run 会准备库和模型；或设置 [detect] model、onnxruntime",
        "make run installs library and model; or set [detect] model and onnxruntime",
    );
    match checked(common) {
        Ok((detector, mismatches)) => {
            let Eye { licence, capacity: held, .. } = app::capacity::eye(&detector, &common.config);
            // Unreadable registers have a line of their own.
            let folder = common.config.store.data.join("registers");
            let registers = Registers::load(&folder, Clock::System.now());
            let cameras = registers
                .map_or(0, |registers| county::streams(&registers.current().cameras).len());
            let mut findings =
                vec![runs(&detector, mismatches, lang), terms(licence.as_ref(), lang)];
            findings.extend(held.map(|held| capacity::finding(&held, cameras, lang)));
            findings
        }
        Err(error) => vec![Finding::broken(PART, error.chain(), cure)],
    }
}

/// The detector, and the number of its own examples that it answers differently from when it was
/// released.
fn checked(common: &Common) -> Result<(Detector, usize)> {
    let config = &common.config.detect;
    let detector = Detector::load(&config.model, config)?;
    let mismatches = match Goldens::load(&config.model)? {
        Some(goldens) => goldens.check(&mut detector.session()?)?.len(),
        None => 0,
    };
    Ok((detector, mismatches))
}

fn runs(detector: &Detector, mismatches: usize, lang: Lang) -> Finding {
    if mismatches > 0 {
        return Finding::broken(
            PART,
            match lang {
                Lang::Zh => format!("{mismatches}个标准样例的结果与发布时不同"),
                Lang::En => {
                    format!(
                        "{mismatches} of its reference examples give a different result than \
                        at its release"
                    )
                }
            },
            lang.pick(
                "换回原模型文件或其他 ONNX Runtime",
                "restore the model's files, or install another ONNX Runtime",
            ),
        );
    }
    let (version, device) = (detector.model(), detector.device());
    let (name, why) = (device.name(), device.why(lang));
    let words =
        format!("{} {} · {name} × {} ({why})", version.name, version.version, detector.batch());
    let second = detector.manifest().verifier.as_ref().map(|it| match lang {
        Lang::Zh => format!(" · 摄像机看到的烟由复核网络 {} 再看一遍", it.version),
        Lang::En => format!(
            " · a second network ({}) gives its opinion on the smoke that cameras \
            see",
            it.version
        ),
    });
    Finding::works(PART, words + &second.unwrap_or_default())
}

/// The terms are repeated, not judged: the office decides whether a use is allowed.
fn terms(licence: Option<&Licence>, lang: Lang) -> Finding {
    const PART: &str = "licence";
    let words = licence_words(licence, lang);
    match licence {
        Some(_) => Finding::works(PART, words),
        None => Finding::limited(
            PART,
            words,
            lang.pick(
                "问清权重的许可，写进 model.toml 的 licence、licence_note_zh、licence_note_en；\
                换模型只改 [detect] model 一行",
                "find out the licence of the weights, and write licence, licence_note_zh and \
                licence_note_en into model.toml; to use another model, change [detect] model",
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn an_office_reads_what_it_may_do_with_the_weights_in_its_own_language() {
        let none = terms(None, Lang::En);
        assert_eq!(
            (none.state, none.words.as_str()),
            (State::Limited, "licence of the weights: none stated")
        );
        let licence = Licence {
            name: "non-commercial".to_owned(),
            note_zh: "仅供试用".to_owned(),
            note_en: "for trials".to_owned(),
        };
        let zh = terms(Some(&licence), Lang::Zh);
        assert_eq!(
            (zh.state, zh.words.as_str()),
            (State::Works, "模型许可 non-commercial：仅供试用")
        );
        assert!(!terms(Some(&licence), Lang::En).words.contains("试用"));
    }
}
