//! The permutation that `numpy.random.RandomState(seed)` makes, so that a split can be repeated elsewhere.

const STATE: usize = 624;
const SHIFT: usize = 397;

/// The order that `numpy.random.RandomState(seed).permutation(n)` gives (MT19937, seeded by one integer; a shuffle
/// from the end with masked rejection).
///
/// # Errors
/// Never; the result holds each of `0..n` once. Over 2^32 rows are shuffled by the low 32 bits of their count.
pub fn permutation(seed: u32, n: usize) -> Vec<usize> {
    let mut twister = Twister::new(seed);
    let mut order: Vec<usize> = (0..n).collect();
    for last in (1..n).rev() {
        order.swap(last, twister.up_to(u32::try_from(last).unwrap_or(u32::MAX)));
    }
    order
}

/// Mersenne Twister 19937.
struct Twister {
    key: [u32; STATE],
    position: usize,
}

impl Twister {
    fn new(seed: u32) -> Self {
        let mut key = [0; STATE];
        let mut value = seed;
        for (position, slot) in (1_u32..).zip(&mut key) {
            *slot = value;
            value = 1_812_433_253_u32.wrapping_mul(value ^ (value >> 30)).wrapping_add(position);
        }
        Self { key, position: STATE }
    }

    fn turn(&mut self) {
        for i in 0..STATE {
            let joined = (self.key[i] & 0x8000_0000) | (self.key[(i + 1) % STATE] & 0x7fff_ffff);
            let odd = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
            self.key[i] = self.key[(i + SHIFT) % STATE] ^ (joined >> 1) ^ odd;
        }
        self.position = 0;
    }

    fn next(&mut self) -> u32 {
        if self.position == STATE {
            self.turn();
        }
        let mut y = self.key[self.position];
        self.position += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// A number of `0..=most`, every one equally likely.
    fn up_to(&mut self, most: u32) -> usize {
        let mask = u32::MAX.checked_shr(most.leading_zeros()).unwrap_or(0);
        loop {
            let drawn = self.next() & mask;
            if drawn <= most {
                return drawn as usize;
            }
        }
    }
}

/// `SplitMix64` (Steele, Lea, Flood 2014): the draws of the estimators themselves.
#[derive(Debug, Clone)]
pub(super) struct Draws(u64);

impl Draws {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One of `0..below`, which is over 0; the bias of the multiplication is under 2^-32 for tables of any size met.
    pub(super) fn below(&mut self, below: usize) -> usize {
        let high = (u128::from(self.next()) * below as u128) >> 64;
        usize::try_from(high).unwrap_or(0)
    }

    /// Shuffles, from the end.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_numpy() {
        // numpy 2.4.6: RandomState(0).permutation(10), RandomState(42).permutation(7).
        assert_eq!(permutation(0, 10), [2, 8, 4, 9, 1, 6, 7, 3, 0, 5]);
        assert_eq!(permutation(42, 7), [0, 1, 5, 2, 4, 3, 6]);
        // RandomState(7).permutation(1000), its ends and the sum of position times value.
        let long = permutation(7, 1000);
        assert_eq!((long[0], long[999]), (778, 175));
        assert_eq!(long.iter().enumerate().map(|(i, v)| i * v).sum::<usize>(), 246_202_311);
        assert_eq!(permutation(0, 0), Vec::<usize>::new());
        assert_eq!(permutation(0, 1), [0]);
    }
}
