//! The weight of an n-gram: its inverse document frequency.

/// `ln(documents) - ln(max(1, count))`, looked up for the counts that occur most.
#[derive(Debug)]
pub(in crate::caption) struct Idf {
    documents: f64,
    log_documents: f64,
    by_count: Vec<f64>,
}

/// Counts up to this are looked up; eight megabytes at the most, of which few lines are read often.
const TABLED: f64 = 1_048_575.0;

impl Idf {
    pub fn new(documents: f64) -> Self {
        let log_documents = documents.ln();
        // No count is larger than the number of documents, unless it was given so.
        let counts = 0..=documents.min(TABLED) as u32;
        Self { documents, log_documents, by_count: counts.map(|count| idf(log_documents, count)).collect() }
    }

    pub fn documents(&self) -> f64 {
        self.documents
    }

    /// The weight of an n-gram that `count` documents hold.
    #[inline]
    pub fn of(&self, count: u32) -> f64 {
        self.by_count.get(count as usize).copied().unwrap_or_else(|| idf(self.log_documents, count))
    }
}

#[cold]
fn idf(log_documents: f64, count: u32) -> f64 {
    log_documents - f64::from(count.max(1)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_does_not_change_a_bit() {
        for documents in [1.0, 1.5, 100.0, 3_000_000.0] {
            let idf = Idf::new(documents);
            assert_eq!(idf.of(0).to_bits(), idf.of(1).to_bits());
            for count in [1u32, 2, 99, 100, 101, 1_048_575, 1_048_576, u32::MAX] {
                assert_eq!(idf.of(count).to_bits(), (f64::ln(documents) - f64::from(count).ln()).to_bits());
            }
        }
    }
}
