package catalog

import (
	"reflect"
	"slices"
	"strings"
)

// Merged returns grants with one for all that have the same resources and condition, and
// then one for all that have the same actions and condition, and without those that
// another one covers in every region: the policies of a role have a size limit.
func Merged(grants []Grant) []Grant {
	actions := func(g *Grant) *[]string { return &g.Actions }
	resources := func(g *Grant) *[]string { return &g.Resources }
	out := mergedBy(mergedBy(grants, resources, actions), actions, resources)
	return slices.DeleteFunc(slices.Clone(out), func(g Grant) bool {
		return slices.ContainsFunc(out, func(o Grant) bool { return covers(o, g) && !covers(g, o) })
	})
}

// covers reports whether a grant without a condition allows all that another does.
func covers(wide, narrow Grant) bool {
	return wide.Condition == nil &&
		!slices.ContainsFunc(narrow.Actions, func(a string) bool { return !slices.Contains(wide.Actions, a) }) &&
		!slices.ContainsFunc(narrow.Resources, func(r string) bool {
			return !slices.Contains(wide.Resources, r) && !slices.Contains(wide.Resources, strings.ReplaceAll(r, InRegion, "*"))
		})
}

// mergedBy returns grants with one for all that have the same condition and the same
// of one list: its other list has everything of theirs.
func mergedBy(grants []Grant, same, union func(*Grant) *[]string) []Grant {
	var out []Grant
	for _, g := range grants {
		i := slices.IndexFunc(out, func(o Grant) bool {
			return slices.Equal(*same(&o), *same(&g)) && reflect.DeepEqual(o.Condition, g.Condition)
		})
		if i < 0 {
			*union(&g) = slices.Clone(*union(&g))
			out = append(out, g)
			continue
		}
		for _, v := range *union(&g) {
			if all := union(&out[i]); !slices.Contains(*all, v) {
				*all = append(*all, v)
			}
		}
	}
	return out
}
