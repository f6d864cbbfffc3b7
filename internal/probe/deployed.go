package probe

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/relight-aws/relight/internal/catalog"
)

// Deployments returns the backfill functions of relight in every region that
// the account has enabled, under any prefix.
func Deployments(ctx context.Context, cfg aws.Config) (found []string, err error) {
	regions, err := ec2.NewFromConfig(cfg).DescribeRegions(ctx, &ec2.DescribeRegionsInput{})
	if err != nil {
		return nil, fmt.Errorf("list the regions: %w", err)
	}
	for _, region := range regions.Regions {
		p := lambda.NewListFunctionsPaginator(lambda.NewFromConfig(cfg, func(o *lambda.Options) { o.Region = *region.RegionName }), &lambda.ListFunctionsInput{})
		for p.HasMorePages() {
			out, err := p.NextPage(ctx)
			if err != nil {
				return found, fmt.Errorf("list the functions in %s: %w", *region.RegionName, err)
			}
			for _, f := range out.Functions {
				name := aws.ToString(f.FunctionName)
				if strings.HasSuffix(name, "-"+string(catalog.Backfill)) && f.Environment != nil && f.Environment.Variables[catalog.EnvTopic] != "" {
					found = append(found, name+" in "+*region.RegionName)
				}
			}
		}
	}
	return found, nil
}
