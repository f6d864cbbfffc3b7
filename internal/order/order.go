// Package order sorts slices. The compiler makes a copy of slices.SortStableFunc for each type of
// element, three kilobytes of a Lambda function's package each: docs/adr/0032-start-and-size.md.
package order

import "sort"

// By sorts a slice in place and returns it. It keeps the order of equal elements.
func By[T any](all []T, compare func(a, b T) int) []T {
	sort.SliceStable(all, func(i, j int) bool { return compare(all[i], all[j]) < 0 })
	return all
}
