//! Where the reference model's attention is read.

use std::str::FromStr;
use std::sync::Arc;

use longboard_refmodel::ModelError;
use longboard_refmodel::cuda::Accelerator;

/// The processor, or one of the devices beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// NVIDIA's device of this number.
    Cuda(usize),
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = match text {
            "cpu" => return Ok(Self::Cpu),
            "cuda" => Ok(0),
            _ => text.strip_prefix("cuda:").unwrap_or_default().parse(),
        };
        number.map(Self::Cuda).map_err(|_| "write cpu, cuda, or cuda:1 for the second device".to_owned())
    }
}

impl Device {
    /// Opens it for a model with heads of `dim` channels; `None` is the processor.
    ///
    /// # Errors
    /// [`ModelError::Device`] says what is missing.
    pub fn open(self, dim: usize) -> Result<Option<Arc<Accelerator>>, ModelError> {
        match self {
            Self::Cpu => Ok(None),
            Self::Cuda(number) => Ok(Some(Arc::new(Accelerator::open(number, dim)?))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_named_by_its_kind_and_number() {
        let parsed = |text: &str| text.parse::<Device>();
        assert_eq!(
            [parsed("cpu"), parsed("cuda"), parsed("cuda:3")],
            [Ok(Device::Cpu), Ok(Device::Cuda(0)), Ok(Device::Cuda(3))]
        );
        for wrong in ["", "gpu", "cuda:", "cuda:x", "cuda:-1"] {
            assert!(parsed(wrong).unwrap_err().contains("cuda:1"), "{wrong}");
        }
        assert!(Device::Cpu.open(32).unwrap().is_none());
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_build_without_cuda_says_how_to_get_one() {
        let Err(error) = Device::Cuda(0).open(32) else { panic!("there is no kernel") };
        assert!(error.to_string().contains("--features cuda"), "{error}");
    }
}
