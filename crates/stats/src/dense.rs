//! Entries of dense matrices and vectors; what lies outside is 0 and stays 0.

use nalgebra::{DMatrix, DVector};

pub(crate) fn at(matrix: &DMatrix<f64>, row: usize, column: usize) -> f64 {
    matrix.get((row, column)).map_or(0.0, |value| *value)
}

pub(crate) fn entry(vector: &DVector<f64>, index: usize) -> f64 {
    vector.get(index).map_or(0.0, |value| *value)
}

pub(crate) fn add(matrix: &mut DMatrix<f64>, row: usize, column: usize, value: f64) {
    if let Some(entry) = matrix.get_mut((row, column)) {
        *entry += value;
    }
}

pub(crate) fn add_entry(vector: &mut DVector<f64>, index: usize, value: f64) {
    if let Some(entry) = vector.get_mut(index) {
        *entry += value;
    }
}

pub(crate) fn put(matrix: &mut DMatrix<f64>, row: usize, column: usize, value: f64) {
    if let Some(entry) = matrix.get_mut((row, column)) {
        *entry = value;
    }
}
