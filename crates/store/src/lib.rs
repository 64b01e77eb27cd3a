//! Entities, queries, transactions and the lease queue.
