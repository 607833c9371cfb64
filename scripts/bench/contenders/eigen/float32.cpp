#include "eigen.hpp"

template bench::Offer eigen::offer_of<float>(bench::Line& line, bool is_fixed);
