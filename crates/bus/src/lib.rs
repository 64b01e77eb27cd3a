//! Wake-ups, progress fan-out and rate windows.
