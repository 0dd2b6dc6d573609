package readiness

import "time"

// interrupted is how late after its stamp a change must arrive for the watch to
// count as interrupted.
const interrupted = 2 * time.Second

// Date returns when a change happened that is seen now, for the first time, on an
// object that says it happened at stamped. Stamps lie, so it is now: the moment
// it was seen. Only a change that arrives late may be dated by its stamp, and
// only if that lies after the previous change; any other stamp is ignored, never
// clamped. The zero time is no stamp.
func Date(now, previous, stamped time.Time) time.Time {
	if stamped.IsZero() || now.Sub(stamped) <= interrupted || !stamped.After(previous) {
		return now
	}
	return stamped
}

// Begun returns since when a state has held that was there before the exporter
// looked: its stamp or, where there is none or it lies in the future, now.
func Begun(now, stamped time.Time) time.Time {
	if stamped.IsZero() || stamped.After(now) {
		return now
	}
	return stamped
}
