//! Pure: random numbers from a seed.

/// SplitMix64 (Steele, Lea, Flood 2014). The whole generator is here, so that a seed means the same
/// day for ever.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// Independent draws for each subject of a seed: a person's draws do not depend on earlier
    /// events.
    pub fn of(seed: u64, subject: &str) -> Self {
        // FNV-1a (Fowler, Noll, Vo), 64 bits.
        let fold =
            |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        let subject = subject.bytes().fold(0xcbf2_9ce4_8422_2325, fold);
        let mut chance = Self(subject ^ seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        chance.next();
        chance
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// 0..1
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.unit()
    }

    /// `from..=to`
    pub fn count(&mut self, from: usize, to: usize) -> usize {
        from + (self.next() % (to - from + 1) as u64) as usize
    }

    pub fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Normal with mean 0 (Box–Muller).
    pub fn normal(&mut self, sigma: f64) -> f64 {
        let (u, v) = (1.0 - self.unit(), self.unit());
        sigma * (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }
}
