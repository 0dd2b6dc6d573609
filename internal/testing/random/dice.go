package random

import "math/rand/v2"

// FixedSeed is the constant seed of random tests.
const FixedSeed = 20261123

// Seeds returns the seeds of random tests by name: a constant one and a new one.
func Seeds() map[string]uint64 {
	return map[string]uint64{"fixed seed": FixedSeed, "new seed": rand.Uint64()}
}

// Dice make random choices.
type Dice struct {
	random *rand.Rand
	bytes  []byte
}

// Seeded returns Dice that take their numbers from one of the streams of a seed.
func Seeded(seed, stream uint64) *Dice {
	return &Dice{random: rand.New(rand.NewPCG(seed, stream))}
}

// FromBytes returns Dice that take their numbers from a fuzzer's bytes; 0 once
// those are used up.
func FromBytes(bytes []byte) *Dice { return &Dice{bytes: bytes} }

// Bytes returns bytes to begin fuzzing with.
func Bytes(stream uint64, length int) []byte {
	random := rand.New(rand.NewPCG(FixedSeed, stream))
	bytes := make([]byte, length)
	for i := range bytes {
		bytes[i] = byte(random.Uint32())
	}
	return bytes
}

// Roll returns a number from 0 to n-1.
func (d *Dice) Roll(n int) int {
	if d.random != nil {
		return d.random.IntN(n)
	}
	if len(d.bytes) == 0 {
		return 0
	}
	first := d.bytes[0]
	d.bytes = d.bytes[1:]
	return int(first) % n
}

// OneIn reports true once in n times. It never does where bytes are used up.
func (d *Dice) OneIn(n int) bool { return d.Roll(n) == n-1 }

// Choose returns one of the things.
func Choose[T any](d *Dice, from ...T) T { return from[d.Roll(len(from))] }

// some returns up to most things.
func some[T any](d *Dice, most int, make func(*Dice) T) (things []T) {
	for range d.Roll(most + 1) {
		things = append(things, make(d))
	}
	return things
}

// Shuffle returns the things in another order.
func Shuffle[T any](d *Dice, things []T) []T {
	for i := range things {
		j := i + d.Roll(len(things)-i)
		things[i], things[j] = things[j], things[i]
	}
	return things
}
