package readiness

import "time"

// Date returns when a change happened that is seen now, for the first time, on an
// object that says it happened at stamped. Stamps lie, so it is now: the moment it was
// seen. Only a late change, which was made while nobody watched, may be dated by its
// stamp, and only if that lies between the previous change and now; any other stamp is
// ignored, never clamped. Stamps have whole seconds: a change in the second of the
// previous one took no time. The zero time is no stamp.
func Date(now, previous, stamped time.Time, late bool) time.Time {
	switch {
	case !late || stamped.IsZero() || stamped.After(now):
		return now
	case stamped.After(previous):
		return stamped
	case stamped.Equal(previous.Truncate(time.Second)):
		return previous
	default:
		return now
	}
}

// Begun returns since when a state has held that was there before the exporter
// looked: its stamp or, where there is none or it lies in the future, now.
func Begun(now, stamped time.Time) time.Time {
	if stamped.IsZero() || stamped.After(now) {
		return now
	}
	return stamped
}
