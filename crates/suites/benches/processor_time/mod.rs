//! Processor time as Criterion's measure.

use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};

/// Processor time of the thread in nanoseconds, so that what else the machine does is not counted.
pub struct ProcessorTime(pub WallTime);

fn processor_time() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

impl Measurement for ProcessorTime {
    type Intermediate = u64;
    type Value = Duration;

    fn start(&self) -> u64 {
        processor_time()
    }

    fn end(&self, start: u64) -> Duration {
        Duration::from_nanos(processor_time() - start)
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        self.0.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        self.0.formatter()
    }
}
