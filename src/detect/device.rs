//! Chooses the device that runs the network, and explains the choice: from the runtime's error text
//! to a sentence with a remedy, for office and log.

use crate::config::Device;
use crate::error::{Error, Result};
use crate::lang::{Lang, Words};
use std::path::{Path, PathBuf};

/// The device that runs the network, and the reason.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chosen {
    pub cuda: bool,
    pub why: Why,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Why {
    Configured,
    /// The card has opened and run the network.
    CardWorks,
    /// The runtime's CUDA provider is not where the runtime looks for it.
    NoProvider {
        wanted: PathBuf,
    },
    NoDriver,
    OldDriver,
    NoCard,
    /// A missing library of CUDA or cuDNN, as the loader names it: `libcublasLt.so.13`.
    NoLibrary {
        name: String,
    },
    OldCard,
    NoMemory,
    /// The runtime's own error text.
    Other {
        words: String,
    },
}

impl Chosen {
    pub fn name(&self) -> &'static str {
        if self.cuda { "cuda" } else { "cpu" }
    }

    /// For people: why this device was chosen and, if the card could not be used, what to do.
    pub fn why(&self, lang: Lang) -> String {
        let (zh, en) = self.why.words();
        lang.pick(&zh, &en).to_owned()
    }
}

/// With `auto` the card is used if it opens and runs the network. `open(true)` opens and tries the
/// network on the card, `open(false)` on the processor. `provider`: where the runtime looks for its
/// CUDA provider. Error: [`crate::error::Kind::Unavailable`], in both languages, if `cuda` is
/// required and the card cannot be used.
pub(super) fn choose<T>(
    device: Device,
    provider: &Path,
    open: impl Fn(bool) -> Result<T>,
) -> Result<(Chosen, T)> {
    let on_card = || {
        if !provider.is_file() {
            return Err(Why::NoProvider { wanted: provider.to_owned() });
        }
        open(true).map_err(|e| Why::of(&e.chain(), has_driver()))
    };
    match device {
        Device::Cpu => Ok((Chosen { cuda: false, why: Why::Configured }, open(false)?)),
        Device::Cuda => match on_card() {
            Ok(opened) => Ok((Chosen { cuda: true, why: Why::Configured }, opened)),
            Err(why) => {
                open(false)?; // If the processor fails too, that error is returned: the card is not the cause.
                let (zh, en) = why.words();
                Err(Error::unavailable(Words::new(
                    format!("显卡（cuda）不能用：{zh}；也可改用 auto 或 cpu"),
                    format!("the graphics card (cuda) cannot be used: {en}; or use auto or cpu"),
                )))
            }
        },
        Device::Auto => match on_card() {
            Ok(opened) => Ok((Chosen { cuda: true, why: Why::CardWorks }, opened)),
            Err(why) => Ok((Chosen { cuda: false, why }, open(false)?)),
        },
    }
}

/// Looks for the kernel part of NVIDIA's driver, or for its device inside Windows (WSL).
fn has_driver() -> bool {
    ["/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg"]
        .iter()
        .any(|path| Path::new(path).exists())
}

impl Why {
    /// From the runtime's error text. On a machine without a driver the loader may name any library
    /// as the first that is missing, so the driver is checked first.
    fn of(words: &str, has_driver: bool) -> Self {
        let says = |any: &[&str]| any.iter().any(|part| words.contains(part));
        if !has_driver || says(&["libcuda.so"]) {
            Self::NoDriver
        } else if says(&["driver version is insufficient", "CUDA failure 35:"]) {
            Self::OldDriver
        } else if says(&["no CUDA-capable device", "CUDA failure 100:"]) {
            Self::NoCard
        } else if let Some(name) = missing_library(words) {
            Self::NoLibrary { name }
        } else if says(&["no kernel image", "CUDA failure 209:", "ARCH_MISMATCH"]) {
            Self::OldCard
        } else if says(&[
            "out of memory",
            "CUDA failure 2:",
            "ALLOC_FAILED",
            "Failed to allocate memory",
        ]) {
            Self::NoMemory
        } else {
            Self::Other { words: essence(words).to_owned() }
        }
    }

    /// Chinese, English: the cause, then the remedy. The versions are those that ONNX Runtime 1.31
    /// is built for: CUDA 13 (driver 580, Turing or later) and cuDNN 9.
    fn words(&self) -> (String, String) {
        let (zh, en) = match self {
            Self::Configured => ("按配置".to_owned(), "as configured".to_owned()),
            Self::CardWorks => ("显卡已成功运行模型".to_owned(), "the graphics card has run the \
                model".to_owned()),
            Self::NoProvider { wanted } => (
                format!("没有CUDA推理库 {}；有NVIDIA显卡时按 docs/gpu.md 安装", wanted.display()),
                format!(
                    "there is no CUDA provider {}; with an NVIDIA card, install it as docs/gpu.md \
                    says",
                    wanted.display()
                ),
            ),
            Self::NoDriver => (
                "没有NVIDIA驱动；请安装580或更新的驱动，使 nvidia-smi 能列出显卡".to_owned(),
                "there is no NVIDIA driver; install 580 or later, so that nvidia-smi lists the card".to_owned(),
            ),
            Self::OldDriver => (
                "NVIDIA驱动太旧；请升级到580或更新".to_owned(),
                "the NVIDIA driver is too old; install 580 or later".to_owned(),
            ),
            Self::NoCard => (
                "驱动找不到可用的显卡；请检查 nvidia-smi，以及容器或服务是否允许使用显卡".to_owned(),
                "the driver finds no card; check nvidia-smi, and whether the container or service \
                may use the card".to_owned(),
            ),
            Self::NoLibrary { name } => {
                let (what, package) = match name {
                    _ if name.starts_with("libcudnn") => ("cuDNN 9", "nvidia-cudnn-cu13"),
                    _ => ("CUDA 13", "nvidia-cublas nvidia-cuda-runtime nvidia-curand nvidia-cufft"),
                };
                (
                    format!("缺少{what}的库 {name}；请按 docs/gpu.md 安装（{package}）"),
                    format!("the library {name} of {what} is missing; install it as docs/gpu.md \
                        says ({package})"),
                )
            }
            Self::OldCard => (
                "显卡太旧，推理库不支持；需要Turing（T4、RTX 20、GTX 16）或更新的显卡".to_owned(),
                "the card is too old for the library; Turing (T4, RTX 20, GTX 16) or later is \
                needed".to_owned(),
            ),
            Self::NoMemory => (
                "显存不足；请关闭占用显卡的其他程序，或调小 [detect] batch、workers".to_owned(),
                "the card has too little free memory; close other programs that use it, or lower \
                [detect] batch or workers"
                    .to_owned(),
            ),
            Self::Other { words } => (
                format!("显卡不能运行模型({words})；请核对驱动、CUDA 13 和 cuDNN 9"),
                format!("the card cannot run the model ({words}); check driver, CUDA 13 and cuDNN 9"),
            ),
        };
        (zh, en)
    }
}

/// `… CUDA failure 35: TEXT ; GPU=0 ; hostname=… ; file=… ; expr=…` → `CUDA failure 35: TEXT`.
fn essence(words: &str) -> &str {
    let from = ["CUDA failure", "CUDNN failure", "CUBLAS failure"]
        .iter()
        .filter_map(|start| words.find(start))
        .min();
    let rest = &words[from.unwrap_or(0)..];
    rest.split(" ; ").next().unwrap_or(rest).trim()
}

/// `… libcublasLt.so.13: cannot open shared object file …` or
/// `Could not load library libcudnn_graph.so.9 …` → the name.
fn missing_library(words: &str) -> Option<String> {
    if words.contains("CUDNN_STATUS_SUBLIBRARY") {
        return Some("libcudnn".to_owned());
    }
    let is_missing = ["cannot open shared object file", "Could not load", "Unable to load"]
        .iter()
        .any(|part| words.contains(part));
    let name = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
    let names =
        words.split_whitespace().filter(|word| word.starts_with("lib") && word.contains(".so"));
    names.map(name).next().filter(|_| is_missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts of loader and driver are those of ONNX Runtime 1.31.1 on a machine without a card;
    /// the others are from its source.
    const LOADER: &str =
        "Failed to load library /lib/libonnxruntime_providers_cuda.so with error: ";

    #[test]
    fn every_obstacle_is_named_with_its_cure_in_both_languages() {
        for (words, has_driver, cure) in [
            (
                format!(
                    "{LOADER}libcublasLt.so.13: cannot open shared object file: No such file \
                    or directory"
                ),
                false,
                "580",
            ),
            (
                format!(
                    "{LOADER}libcuda.so.1: cannot open shared object file: No such file or \
            directory"
                ),
                true,
                "580",
            ),
            (
                format!("{LOADER}libcublasLt.so.13: cannot open shared object file: No such file"),
                true,
                "libcublasLt.so.13",
            ),
            (
                format!("{LOADER}libcudnn.so.9: cannot open shared object file: No such file"),
                true,
                "nvidia-cudnn-cu13",
            ),
            (
                "Could not load library libcudnn_graph.so.9. Error: …".to_owned(),
                true,
                "nvidia-cudnn-cu13",
            ),
            ("Unable to load any libcudnn.so.* library.".to_owned(), true, "nvidia-cudnn-cu13"),
            (
                "CUDNN failure 1002: CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED ; GPU=0".to_owned(),
                true,
                "nvidia-cudnn-cu13",
            ),
            (
                "CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version ; \
                GPU=-1"
                    .to_owned(),
                true,
                "580",
            ),
            (
                "CUDA failure 100: no CUDA-capable device is detected ; GPU=0".to_owned(),
                true,
                "nvidia-smi",
            ),
            (
                "CUDA error: no kernel image is available for execution on the device".to_owned(),
                true,
                "Turing",
            ),
            ("CUDA failure 2: out of memory ; GPU=0".to_owned(), true, "[detect] batch"),
            (
                "at line 154 CUDA failure 719: unspecified launch failure ; GPU=0 ; hostname=pc"
                    .to_owned(),
                true,
                "(CUDA failure 719: unspecified launch failure)",
            ),
            ("something nobody foresaw".to_owned(), true, "(something nobody foresaw)"),
        ] {
            let chosen = Chosen { cuda: false, why: Why::of(&words, has_driver) };
            for lang in [Lang::Zh, Lang::En] {
                assert!(chosen.why(lang).contains(cure), "{words}: {}", chosen.why(lang));
            }
        }
    }

    #[test]
    fn auto_goes_on_without_the_card_and_cuda_does_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let provider = folder.path().join("provider.so");
        let open = |works: fn(bool) -> bool| {
            move |cuda: bool| {
                if works(cuda) {
                    Ok(cuda)
                } else {
                    Err(Error::unavailable("CUDA failure 100: none"))
                }
            }
        };
        let absent =
            choose(Device::Auto, &provider, open(|_| true)).expect("the processor is there");
        assert_eq!(
            absent,
            (Chosen { cuda: false, why: Why::NoProvider { wanted: provider.clone() } }, false)
        );

        std::fs::write(&provider, "").expect("written");
        let card = choose(Device::Auto, &provider, open(|_| true)).expect("the card works");
        assert_eq!(card, (Chosen { cuda: true, why: Why::CardWorks }, true));
        let (chosen, on_card) =
            choose(Device::Auto, &provider, open(|cuda| !cuda)).expect("the processor works");
        assert!(!chosen.cuda && !on_card && chosen.why != Why::Configured, "{chosen:?}");

        let error = choose(Device::Cuda, &provider, open(|cuda| !cuda)).expect_err("demanded");
        assert_eq!(error.kind.exit_code(), 3);
        assert!(
            error.message.contains("nvidia-smi") || error.message.contains("580"),
            "{}",
            error.message
        );
        let error = choose(Device::Cuda, &provider, open(|_| false)).expect_err("nothing works");
        assert!(!error.message.contains("cuda)"), "not the card's fault: {}", error.message);
        assert!(
            choose(Device::Cpu, &provider, open(|cuda| !cuda))
                .is_ok_and(|(chosen, _)| !chosen.cuda)
        );
    }
}
