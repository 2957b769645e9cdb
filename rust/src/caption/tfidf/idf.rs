//! Inverse document frequencies: the weights of n-grams.

/// Computes `ln(documents) - ln(max(1, doc_freq))`, with a table of the values for small document frequencies.
#[derive(Debug)]
pub(in crate::caption) struct Idf {
    documents: f64,
    log_documents: f64,
    by_doc_freq: Vec<f64>,
}

/// The largest document frequency in the table. The table has at most 8 MiB, of which few cache lines are read often.
const MAX_TABLED: f64 = 1_048_575.0;

impl Idf {
    pub fn new(documents: f64) -> Self {
        let log_documents = documents.ln();
        // A document frequency exceeds the number of documents only in tables that were not counted here.
        let tabled = 0..=documents.min(MAX_TABLED) as u32;
        Self { documents, log_documents, by_doc_freq: tabled.map(|doc_freq| idf(log_documents, doc_freq)).collect() }
    }

    /// Number of documents.
    pub fn documents(&self) -> f64 {
        self.documents
    }

    /// Return the weight of an n-gram that occurs in `doc_freq` documents. 0 and 1 weigh the same, so either may stand for
    /// the other.
    #[inline]
    pub fn of(&self, doc_freq: u32) -> f64 {
        self.by_doc_freq.get(doc_freq as usize).copied().unwrap_or_else(|| idf(self.log_documents, doc_freq))
    }
}

#[cold]
fn idf(log_documents: f64, doc_freq: u32) -> f64 {
    log_documents - f64::from(doc_freq.max(1)).ln()
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
