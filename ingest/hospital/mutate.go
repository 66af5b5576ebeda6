package hospital

import "math/rand/v2"

// Mutate changes some values of a decoded record, at any depth, to others of a
// pool. What feed the record is of stays.
func Mutate(rng *rand.Rand, v any, pool []any) {
	switch v := v.(type) {
	case map[string]any:
		for k, member := range v {
			if _, nested := member.(map[string]any); !nested && rng.IntN(25) == 0 && k != "category" {
				v[k] = pool[rng.IntN(len(pool))]
			} else {
				Mutate(rng, member, pool)
			}
		}
	case []any:
		for _, element := range v {
			Mutate(rng, element, pool)
		}
	}
}
