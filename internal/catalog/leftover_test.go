package catalog_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
)

// Every parameter that a baseline names is one that relight stores, so that relight remove takes
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
		if !b.Stores(name) {
			t.Errorf("Stores does not know %s, which %s returns", name, m.Name)
		}
		if of := strings.Replace(name, "/memory/", "/memory/444455556666/", 1); !b.Stores(of) || b.Stores(of+"s") || of != name && b.Stores(strings.Replace(of, "444455556666", "others", 1)) {
			t.Errorf("Stores is wrong about %s, or about what is like it", of)
		}
	}
	if found < 5 {
		t.Errorf("%d methods name a parameter, want five", found)
	}
}
