package catalog_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/catalog"
)

// Our partitions are those of the AWS SDK: its regions and, except for China, its
// global regions.
func TestPartitionsAreTheSDKs(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2").Output()
	if err != nil {
		t.Fatalf("find the SDK: %v", err)
	}
	raw, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "internal", "endpoints", "awsrulesfn", "partitions.json"))
	if err != nil {
		t.Fatal(err)
	}
	var sdk struct {
		Partitions []struct {
			ID      string
			Outputs struct{ ImplicitGlobalRegion string }
			Regions map[string]any
		}
	}
	if err := json.Unmarshal(raw, &sdk); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, p := range sdk.Partitions {
		ids = append(ids, p.ID)
		global := p.Outputs.ImplicitGlobalRegion
		if p.ID == "aws-cn" {
			global = "cn-north-1" // IAM's endpoint
		}
		for region := range p.Regions {
			if strings.HasSuffix(region, "-global") {
				continue
			}
			got, ok := catalog.PartitionOf(region)
			if !ok || got.ID != p.ID || got.Global != global || catalog.GlobalRegion(region) != global {
				t.Errorf("%s is in %+v, %t; want partition %s and global region %s", region, got, ok, p.ID, global)
			}
			if !catalog.RegionShape.MatchString(region) || !catalog.IsRegion(region) {
				t.Errorf("%s does not have the shape of a region", region)
			}
		}
	}
	slices.Sort(ids)
	if got := slices.Sorted(slices.Values(catalog.PartitionIDs())); !slices.Equal(got, ids) {
		t.Errorf("partitions %v, want %v", got, ids)
	}
}

// A region of no known partition never leads to another partition.
func TestGlobalRegionOfUnknownPartition(t *testing.T) {
	if got := catalog.GlobalRegion("xx-north-1"); got != "xx-north-1" {
		t.Errorf("global region of xx-north-1 is %s, want itself", got)
	}
}

func TestIsRegion(t *testing.T) {
	for name, want := range map[string]bool{
		"ap-southeast-9": true, // AWS may open it
		"eu-wset-1":      false, "us-est-1": false, "us-gov-1": false, "us-east-99": false, "us-east-0": false, "us-east": false,
		"eu-west-1a": false, "EU-WEST-1": false, " us-east-1": false, "us-east-1\n": false, "xx-north-1": false, "aws-global": false, "Ireland": false, "": false,
	} {
		if got := catalog.IsRegion(name); got != want {
			t.Errorf("IsRegion(%q) = %t, want %t", name, got, want)
		}
	}
}
