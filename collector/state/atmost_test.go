package state

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestAtMost(t *testing.T) {
	t.Parallel()
	chance := rand.New(rand.NewPCG(1, 2))
	for count := range 40 {
		for limit := -1; limit <= count+1; limit++ {
			all := make([]int, count)
			for i := range all {
				all[i] = chance.IntN(count)
			}
			kept, dropped := atMost(limit, slices.Values(all), cmp.Compare[int])
			want := slices.Sorted(slices.Values(all))[:max(0, min(limit, count))]
			slices.Sort(kept)
			if !slices.Equal(kept, want) || dropped != count-len(want) {
				t.Fatalf("of %v at most %d: %v, %d dropped", all, limit, kept, dropped)
			}
		}
	}
}
