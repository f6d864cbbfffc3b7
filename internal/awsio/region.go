package awsio

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/relight-aws/relight/internal/catalog"
)

// A region is one region of one account, with the clients that call it. Global
// services such as IAM are called from a region of the account's partition.
type region struct {
	*Cloud
	account string // 12 digits
	name    string
	cfg     aws.Config           // of its clients
	parts   func() catalog.Parts // of relight's stack in the region

	mu      sync.Mutex
	clients map[reflect.Type]any
	made    map[string]time.Time // by service and target: when this process created it
}

// in returns a region of an account.
func (c *Cloud) in(account, name string) *region {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := [2]string{account, name}
	if r := c.regions[key]; r != nil {
		return r
	}
	r := &region{Cloud: c, account: account, name: name, clients: map[reflect.Type]any{}, made: map[string]time.Time{}}
	r.cfg = r.clientConfig(c.Config)
	r.parts = sync.OnceValue(func() catalog.Parts { return c.Want.Parts(c.Want.HomeRegion, name) })
	if c.regions == nil {
		c.regions = map[[2]string]*region{}
	}
	c.regions[key] = r
	return r
}

// ClientConfig returns the settings for a client that another package makes: its calls in
// a region of the deployment's account are paced, repeated and classified as all are.
func (c *Cloud) ClientConfig(region string) aws.Config { return c.home(region).cfg }

// client returns a region's client of one service. It makes each client once.
func client[Client, Options any](r *region, newFromConfig func(aws.Config, ...func(*Options)) *Client) *Client {
	r.mu.Lock()
	defer r.mu.Unlock()
	of := reflect.TypeFor[Client]()
	if r.clients[of] == nil {
		r.clients[of] = newFromConfig(r.cfg)
	}
	return r.clients[of].(*Client)
}

// Regions returns the account's enabled regions and the regions that it has not
// opted into, each sorted.
func (c *Cloud) Regions(ctx context.Context, home string) (enabled, disabled []string, err error) {
	out, err := c.home(home).ec2().DescribeRegions(ctx, &ec2.DescribeRegionsInput{AllRegions: aws.Bool(true)})
	if err != nil {
		return nil, nil, bare(err)
	}
	for _, one := range out.Regions {
		if aws.ToString(one.OptInStatus) == "not-opted-in" {
			disabled = append(disabled, aws.ToString(one.RegionName))
		} else {
			enabled = append(enabled, aws.ToString(one.RegionName))
		}
	}
	slices.Sort(enabled)
	slices.Sort(disabled)
	return enabled, disabled, nil
}

// home returns a region of the account in which relight is deployed.
func (c *Cloud) home(region string) *region { return c.in(c.Want.Account, region) }

// memory returns the region of that name in which relight remembers: nobody of a guarded
// account can write there.
func (c *Cloud) memory(region string) *region {
	if c.Hub != nil {
		return c.Hub.home(region)
	}
	return c.home(region)
}
