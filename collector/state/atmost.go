package state

import "iter"

// atMost returns the first limit values in an order, in no order, and how many that
// leaves out: the same ones from call to call. It compares most values once only.
func atMost[T any](limit int, all iter.Seq[T], compare func(a, b T) int) (kept []T, dropped int) {
	for value := range all {
		switch {
		case len(kept) < limit:
			kept = append(kept, value)
			if len(kept) == limit {
				for i := limit/2 - 1; i >= 0; i-- {
					sink(kept, i, compare)
				}
			}
			continue
		case limit > 0 && compare(value, kept[0]) < 0:
			kept[0] = value
			sink(kept, 0, compare)
		}
		dropped++
	}
	return kept, dropped
}

// sink restores a heap, whose last value in the order is at its root, where the value
// at i may be too early.
func sink[T any](heap []T, i int, compare func(a, b T) int) {
	for {
		child := 2*i + 1
		if child >= len(heap) {
			return
		}
		if next := child + 1; next < len(heap) && compare(heap[next], heap[child]) > 0 {
			child = next
		}
		if compare(heap[child], heap[i]) <= 0 {
			return
		}
		heap[i], heap[child] = heap[child], heap[i]
		i = child
	}
}
