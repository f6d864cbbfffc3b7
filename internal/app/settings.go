package app

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// settings returns the settings of a function's AWS clients. Lambda passes region and
// credentials in the environment. The SDK's other sources, such as profiles and sign-in,
// would be a twentieth of the function's package. Source: Lambda Developer Guide,
// "Defined runtime environment variables" (documented).
func settings() (aws.Config, error) {
	env, err := awsconfig.NewEnvConfig()
	switch {
	case err != nil:
		return aws.Config{}, fmt.Errorf("read AWS settings: %w", err)
	case env.Region == "" || !env.Credentials.HasKeys():
		return aws.Config{}, errors.New("the environment has no AWS_REGION, or no credentials: Lambda sets them, so a function cannot run elsewhere without them")
	}
	cfg := aws.Config{
		Region: env.Region, Credentials: credentials.StaticCredentialsProvider{Value: env.Credentials},
		HTTPClient: awshttp.NewBuildableClient(), ConfigSources: []any{env},
	}
	if env.BaseEndpoint != "" {
		cfg.BaseEndpoint = aws.String(env.BaseEndpoint)
	}
	return cfg, nil
}
