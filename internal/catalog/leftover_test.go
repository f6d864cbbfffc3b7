package catalog_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
)

// Every parameter that a baseline names is among Parameters, so that relight remove takes
// it for relight's.
func TestParameters(t *testing.T) {
	b := catalog.Baseline{Prefix: "relight"}
	found := 0
	for m, v := range reflect.ValueOf(b).Methods() {
		if m.Type.NumIn() != 1 || m.Type.NumOut() != 1 || m.Type.Out(0).Kind() != reflect.String {
			continue
		}
		name := v.Call(nil)[0].String()
		if !strings.HasPrefix(name, "/relight/") || strings.HasSuffix(name, "/") {
			continue
		}
		found++
		if !slices.Contains(b.Parameters(), name) {
			t.Errorf("Parameters lacks %s, which %s returns", name, m.Name)
		}
	}
	if found != len(b.Parameters()) {
		t.Errorf("%d parameters, and %d methods that name one", len(b.Parameters()), found)
	}
}
