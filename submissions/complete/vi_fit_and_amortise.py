import torch


def ascent_step(elbo, mu, log_sigma, lr):
    def total(m, s):
        return elbo(m, s).sum()

    g_mu, g_ls = torch.func.grad(total, argnums=(0, 1))(mu, log_sigma)
    return mu + lr * g_mu, log_sigma + lr * g_ls


def fit_q(elbo, mu, log_sigma):
    m = mu.clone().requires_grad_(True)
    s = log_sigma.clone().requires_grad_(True)
    opt = torch.optim.LBFGS([m, s], max_iter=200, history_size=20, line_search_fn="strong_wolfe")

    def closure():
        opt.zero_grad()
        loss = -elbo(m, s).sum()
        loss.backward()
        return loss

    opt.step(closure)
    return m.detach(), s.detach()


def _cov(weight, eta):
    # posterior covariance via a Cholesky factor of its inverse
    prec = weight.T @ weight / eta
    prec.diagonal().add_(1.0)
    return prec, torch.linalg.cholesky(prec)


def mean_field_gap(weight, eta):
    prec, chol = _cov(weight, eta)
    return (prec.diagonal().sqrt().log() - chol.diagonal().log()).sum()


def linear_encoder(weight, bias, eta):
    prec, chol = _cov(weight, eta)
    slope = torch.cholesky_solve(weight.T, chol) / eta
    return slope, slope @ -bias, prec.diagonal().rsqrt().log()


def encode(slope, offset, log_sigma, x):
    mu = torch.einsum("kd,bd->bk", slope, x) + offset[None, :]
    return mu, log_sigma[None, :].expand(x.shape[0], -1)


def n_params(theta, n, d, k):
    return theta + n * 2 * k, theta + (d + 1) * k + k
