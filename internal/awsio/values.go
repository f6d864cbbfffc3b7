package awsio

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// nonzero returns a value for a request, or nil for a zero value: services
// treat an empty text as a value, and a false flag may still need permissions.
func nonzero[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// tagList returns tags in the form that a service expects, sorted by key.
func tagList[T any](tags map[string]string, tag func(k, v *string) T) []T {
	var list []T
	for _, k := range sortedKeys(tags) {
		v := tags[k]
		list = append(list, tag(&k, &v))
	}
	return list
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// ownerOf returns the account of an ARN.
func ownerOf(text string) string {
	parsed, _ := arn.Parse(text) // the zero ARN is of no account
	return parsed.AccountID
}

// resourceOf returns the resource that an ARN names, without its type and
// without the ":*" that some services append to a log group's ARN. It returns
// "" for no ARN.
func resourceOf(text, kind string) string {
	parsed, _ := arn.Parse(text) // the zero ARN names nothing
	return strings.TrimSuffix(strings.TrimPrefix(parsed.Resource, kind), ":*")
}
